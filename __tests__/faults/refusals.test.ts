import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post } from '../support/chat.ts'
import { FaultScene, JSON_AND_STREAM } from '../support/fault-scene.ts'
import { type Behaviour, inTurn, refuses, says, sends, sse } from '../support/upstream-behaviour.ts'

const afterMs = (delayMs: number): string => new Date(Date.now() + delayMs).toUTCString()
/** Answers 200, and with an error in place of an answer. */
const answersWith =
  (error: object): Behaviour =>
  (response, asked, signal) =>
    asked.stream
      ? sends([sse({ error })])(response, asked, signal)
      : sends([JSON.stringify({ error })], { type: 'application/json' })(response, asked, signal)
const TOO_LONG = {
  message: 'prompt is too long: 210000 tokens > 200000 maximum',
  type: 'invalid_request_error',
}
const limited = (headers: Record<string, string>): Behaviour => refuses(429, { headers })

describe('an upstream that refuses', () => {
  let scene: FaultScene
  let models = 0
  /** Each fault meets a target, and a retry budget, that no other fault has used up. */
  const PROVIDERS = ['openai', 'groq', 'mistral', 'openrouter', 'gemini', 'vllm', 'ollama'] as const
  const modelOf = (provider: string | undefined, behaviour: Behaviour) => {
    const model = scene.upstream.modelThat(behaviour)
    return { model: `${provider}/${model}`, calls: () => scene.upstream.callsFor(model) }
  }
  const modelThat = (behaviour: Behaviour) => {
    models += 1
    return modelOf(PROVIDERS[models % PROVIDERS.length], behaviour)
  }
  /** For faults that are never retried, which use up no budget. */
  const modelWithoutRetries = (behaviour: Behaviour) => modelOf('openai', behaviour)

  beforeAll(async () => {
    const upstreamOf = (baseUrl: string) => ({
      GROQ_BASE_URL: baseUrl,
      MISTRAL_BASE_URL: baseUrl,
      OPENROUTER_BASE_URL: baseUrl,
      GEMINI_BASE_URL: baseUrl,
      VLLM_BASE_URL: baseUrl,
      OLLAMA_BASE_URL: baseUrl,
    })
    const keys = { GROQ_API_KEY: 'k', MISTRAL_API_KEY: 'k', OPENROUTER_API_KEY: 'k', GEMINI_API_KEY: 'k' }
    scene = await FaultScene.start({ env: upstream => ({ ...upstreamOf(upstream), ...keys }) })
  })
  afterAll(() => scene?.stop())

  describe.each(JSON_AND_STREAM)('%s', (_, stream) => {
    it.each<[string, () => Record<string, string>, number]>([
      // Each a good deal longer than the pause before a retry without them.
      ['Retry-After: 1', () => ({ 'retry-after': '1' }), 1_000],
      // A date has whole seconds, and the time until it is read counts.
      ['Retry-After: an HTTP date', () => ({ 'retry-after': afterMs(3_000) }), 1_000],
      ['retry-after-ms: 1200', () => ({ 'retry-after-ms': '1200' }), 1_200],
    ])(
      'F1: waits as long as a limit with %s asks for, and then asks again',
      async (_name, headers, waitMs) => {
        const { model, calls } = modelThat(inTurn((...call) => limited(headers())(...call), says(['Now'])))
        const told = await scene.endures(model, stream)
        expect([told.status, told.content]).toEqual([200, 'Now'])
        const [first, second, ...more] = calls()
        expect((second?.arrivedAt ?? 0) - (first?.finishedAt ?? 0)).toBeGreaterThan(waitMs - 100)
        expect(more).toEqual([])
      },
    )

    it('F1: does not wait for a limit of hours, and tells the client of it', async () => {
      const { model, calls } = modelThat(limited({ 'retry-after': '9999' }))
      const told = await scene.endures(model, stream)
      expect(told).toMatchObject({ status: 503, error: { code: 'PROVIDER_RATE_LIMIT' } })
      expect(told.headers.get('retry-after')).toBe('9999')
      expect(calls()).toHaveLength(1)
    })

    it.each(['-1', 'abc', ''])('F1: ignores a malformed Retry-After (%j)', async retryAfter => {
      const { model, calls } = modelThat(limited({ 'retry-after': retryAfter }))
      const told = await scene.endures(model, stream)
      expect(told).toMatchObject({ status: 503, error: { code: 'PROVIDER_RATE_LIMIT' } })
      expect(Number(told.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(calls().length).toBeLessThanOrEqual(3)
    })

    it('F1: lets another model answer at once', async () => {
      scene.upstream.forModel('gpt-4o', limited({ 'retry-after': '9' })).forModel('gpt-4', says(['Instead']))
      const told = await scene.endures('gpt-4o', stream)
      expect(told).toMatchObject({ status: 200, content: 'Instead' })
      expect(told.headers.get('x-gateway-fallback')).toBe('true')
    })

    it.each<[string, Behaviour]>([
      ['401', refuses(401, { code: 'invalid_api_key' })],
      ['403', refuses(403)],
      ['a used-up quota', refuses(429, { code: 'insufficient_quota', headers: { 'retry-after': '1' } })],
    ])(
      'F2: does not try the same key again after %s, and does not blame the client',
      async (_name, behaviour) => {
        const { model, calls } = modelThat(behaviour)
        const told = await scene.endures(model, stream)
        expect(told).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR', retryable: false } })
        expect(calls()).toHaveLength(1)
      },
    )

    it('F2: asks the next model after a refused key', async () => {
      scene.upstream.forModel('gpt-4o', refuses(401)).forModel('gpt-4', says(['Instead']))
      expect(await scene.endures('gpt-4o', stream)).toMatchObject({ status: 200, content: 'Instead' })
    })

    it.each<[string, Behaviour]>([
      ['500', refuses(500)],
      ['502', refuses(502)],
      ['503', refuses(503)],
      ['504', refuses(504)],
      ['529', refuses(529)],
      [
        'an HTML page',
        refuses(503, { body: '<html>must not leak', headers: { 'content-type': 'text/html' } }),
      ],
      ['a page of ten megabytes', refuses(500, { body: 'must not leak'.repeat(800_000) })],
      ['an empty 200', sends([], { type: 'application/json' })],
      ['200 and a page', sends(['<html>must not leak'], { type: 'text/html' })],
    ])('F3: tries again after %s, then fails with a calm message', async (_name, behaviour) => {
      const { model, calls } = modelThat(behaviour)
      const told = await scene.endures(model, stream)
      expect(told).toMatchObject({ status: 502, error: { code: 'PROVIDER_ERROR', retryable: true } })
      expect(calls()).toHaveLength(3)
    })

    it.each([501, 505])('F3: does not try again after %i, which does not pass by itself', async status => {
      const { model, calls } = modelThat(refuses(status))
      expect((await scene.endures(model, stream)).status).toBe(502)
      expect(calls()).toHaveLength(1)
    })

    it.each<[string, number, string]>([
      ['context_length_exceeded', 400, 'CONTEXT_LENGTH'],
      ['content_filter', 422, 'CONTENT_BLOCKED'],
    ])('F45: passes a refusal for %s on, and does not try again', async (code, status, ours) => {
      const { model, calls } = modelThat(refuses(400, { code }))
      const told = await scene.endures(model, stream)
      expect(told).toMatchObject({ status, error: { code: ours, retryable: false } })
      expect(calls()).toHaveLength(1)
    })

    it.each<[string, object, number, string]>([
      ['a conversation that is too long', TOO_LONG, 400, 'CONTEXT_LENGTH'],
      ['blocked content', { innererror: { code: 'ResponsibleAIPolicyViolation' } }, 422, 'CONTENT_BLOCKED'],
      ['an unknown model', { code: 'model_not_found' }, 404, 'NOT_FOUND'],
      ['a bad request', { type: 'invalid_request_error', param: 'messages' }, 400, 'INVALID_INPUT'],
    ])(
      'F45: takes %s for the caller’s mistake in a 200 too, however often: asks once each, opens no circuit',
      async (_name, error, status, ours) => {
        const { model, calls } = modelWithoutRetries(answersWith(error))
        for (let nth = 1; nth <= 8; nth += 1) {
          const told = await scene.endures(model, stream)
          expect(told).toMatchObject({ status, error: { code: ours, retryable: false } })
          expect(calls()).toHaveLength(nth)
        }
      },
    )

    it('asks without a parameter that a model refuses as part of one attempt, and says what it left out', async () => {
      const error = { message: "Unsupported parameter: 'temperature'", code: 'unsupported_parameter' }
      const { model, calls } = modelWithoutRetries((response, asked, signal) =>
        asked.temperature === undefined
          ? says(['Hello'])(response, asked, signal)
          : refuses(400, { body: JSON.stringify({ error }) })(response, asked, signal),
      )
      for (let nth = 1; nth <= 5; nth += 1) {
        const answer = await post(scene.gateway.url, { prompt: `${nth}`, model, stream, temperature: 0.5 })
        const told = await answer.text()
        expect([answer.status, answer.headers.get('x-gateway-attempts')]).toEqual([200, '1'])
        expect(told).toContain('This model takes no temperature')
        expect(calls()).toHaveLength(nth + 1)
      }
    })

    it('F45: lets a model that takes more answer a conversation that is too long, reported in a 200', async () => {
      scene.upstream.forModel('gpt-4', answersWith(TOO_LONG)).forModel('gpt-3.5-turbo', says(['Instead']))
      const told = await scene.endures('gpt-4', stream)
      expect(told).toMatchObject({ status: 200, content: 'Instead' })
    })
  })
})
