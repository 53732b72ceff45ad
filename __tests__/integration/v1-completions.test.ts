import OpenAI from 'openai'
import type { Completion } from 'openai/resources/completions'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import { type Behaviour, inTurn, refuses, sends, sse, write } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const MODEL = 'gpt-3.5-turbo-instruct'
const USAGE = { prompt_tokens: 1_000, completion_tokens: 500, total_tokens: 1_500 }
const json = (value: object): Behaviour => sends([JSON.stringify(value)], { type: 'application/json' })

const head = { id: 'cmpl-1', object: 'text_completion', created: 1, model: MODEL }
const piece = (text: string, finish_reason: string | null = null) => ({
  ...head,
  choices: [{ text, index: 0, logprobs: null, finish_reason }],
  vendor_note: 'kept',
})
const PIECES = [piece('Hel'), piece('lo', 'stop')]
const whole = json({ ...piece('Hello', 'stop'), usage: USAGE })

/** A stream, with its usage where that is asked for, as OpenAI writes it. */
const streams: Behaviour = (response, asked, signal) => {
  const { stream_options: options } = asked as { stream_options?: { include_usage?: boolean } }
  const events = options?.include_usage
    ? [...PIECES.map(one => ({ ...one, usage: null })), { ...head, choices: [], usage: USAGE }]
    : PIECES
  return sends([...events.map(sse), sse('[DONE]')])(response, asked, signal)
}

describe.each(HOSTS)('the text endpoints under the %s server', host => {
  let setting: UpstreamGateway
  let direct: OpenAI
  let through: OpenAI

  const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'placeholder', maxRetries: 0 })
  const post = (path: string, body: object | string) =>
    fetch(`${setting.gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const lastBody = () => setting.upstream.calls.at(-1)?.body ?? ''

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      BREAKER_FAILURES: '1000',
      OPENAI_COMPATIBLE_BASE_URL: baseUrl,
    }))
    direct = clientOf(setting.upstream.baseUrl)
    through = clientOf(`${setting.gateway.url}/v1`)
  })
  beforeEach(() => void setting.upstream.usually(whole))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  describe('POST /v1/completions', () => {
    const asked = { model: MODEL, prompt: 'Say hello' }
    const collect = async (client: OpenAI, include_usage?: boolean): Promise<Completion[]> => {
      const chunks: Completion[] = []
      const stream = await client.completions.create({
        ...asked,
        stream: true,
        ...(include_usage !== undefined && { stream_options: { include_usage } }),
      })
      for await (const chunk of stream) chunks.push(chunk)
      return chunks
    }

    it('gives the official client what the upstream gives it, whole, with its cost', async () => {
      const { data, response } = await through.completions.create(asked).withResponse()
      expect(JSON.stringify(data)).toBe(JSON.stringify(await direct.completions.create(asked)))
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0.0025')
    })

    it.each([undefined, false, true])('and streamed, where include_usage is %s', async include => {
      setting.upstream.usually(streams)
      expect(await collect(through, include)).toEqual(await collect(direct, include))
    })

    it('asks a stream for its usage, which the log has, and the client only if it asked too', async () => {
      setting.upstream.usually(streams)
      const response = await post('completions', { ...asked, stream: true })
      expect(await response.text()).toBe([...PIECES.map(sse), sse('[DONE]')].join(''))
      expect(JSON.parse(lastBody()).stream_options).toEqual({ include_usage: true })
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ inputTokens: 1_000, outputTokens: 500, costUsd: 0.0025 })
    })

    it('reads a stream as one whatever its content type says', async () => {
      setting.upstream.usually(sends([...PIECES.map(sse), sse('[DONE]')], { type: 'application/json' }))
      const response = await post('completions', { ...asked, stream: true })
      expect(response.headers.get('content-type')).toBe('text/event-stream')
      expect(await response.text()).toBe([...PIECES.map(sse), sse('[DONE]')].join(''))
    })

    it('ends every stream with [DONE]', async () => {
      setting.upstream.usually(sends(PIECES.map(sse)))
      const response = await post('completions', { ...asked, stream: true })
      expect(await response.text()).toBe([...PIECES.map(sse), sse('[DONE]')].join(''))
    })

    it.each<[string, Behaviour]>([
      ['is reset', sends(PIECES.slice(0, 1).map(sse), { ending: 'reset' })],
      ['ends without a finish_reason', sends(PIECES.slice(0, 1).map(sse))],
    ])('says so in the stream where the upstream’s %s', async (_, behaviour) => {
      setting.upstream.usually(behaviour)
      const response = await post('completions', { ...asked, stream: true })
      const text = await response.text()
      expect(text).toContain('"Hel"')
      expect(text).toMatch(/data: \{"error":\{"message":".+"\}\}\n\n$/)
      expect(text).not.toContain('[DONE]')
      // Four bytes of the prompt's JSON, and of the delivered text, a token.
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ inputTokens: 3, outputTokens: 1, estimated: true, costUsd: 0.0000065 })
    })

    it('estimates the cost of a stream that its client leaves, from the text until then', async () => {
      const texts = Array.from({ length: 10 }, () => piece('grün 🎉\n\n'))
      setting.upstream.usually(sends(texts.map(sse), { ending: 'stall' }))
      const leaving = new AbortController()
      const response = await fetch(`${setting.gateway.url}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...asked, stream: true }),
        signal: leaving.signal,
      })
      let read = ''
      for await (const bytes of response.body ?? []) {
        read += Buffer.from(bytes).toString()
        if (read.split('\n\n').length > texts.length) break
      }
      leaving.abort()
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ outcome: 'aborted', outputTokens: 30, estimated: true })
    })

    it('estimates what a whole answer does not report', async () => {
      setting.upstream.usually(json(piece('Hello', 'stop')))
      const response = await post('completions', asked)
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0.0000085')
    })

    it('answers an error before the first content with a status, after a retry', async () => {
      setting.upstream.usually(sends([sse({ error: { message: 'boom', type: 'server_error' } })]))
      const response = await post('completions', { ...asked, stream: true })
      expect(response.status).toBe(502)
      expect(Number(response.headers.get('x-gateway-attempts'))).toBeGreaterThan(1)
    })

    it('sends an error in the middle once, in the upstream’s words, and counts it as a failure', async () => {
      const error = { error: { message: 'boom', type: 'server_error' } }
      const options = { stream_options: { include_usage: true } }
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
      setting.upstream.usually(async (upstream, _asked, signal) => {
        upstream.writeHead(200, { 'content-type': 'text/event-stream' })
        await write(upstream, sse(PIECES[0]), signal)
        await begun
        await write(upstream, sse(error), signal)
        upstream.end()
      })
      const response = await post('completions', { ...asked, stream: true, ...options })
      begin()
      expect(await response.text()).toBe(sse(PIECES[0]) + sse(error))
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ outcome: 'error', code: 'PROVIDER_ERROR' })
    })

    it('retries a failure before the first content', async () => {
      setting.upstream.usually(inTurn(refuses(503), whole))
      const response = await post('completions', asked)
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-attempts')).toBe('2')
    })
  })

  describe('POST /v1/moderations', () => {
    const verdict = json({ id: 'modr-1', model: 'omni-moderation-latest', results: [{ flagged: false }] })

    it('gives the official client what the upstream gives it, for nothing', async () => {
      setting.upstream.usually(verdict)
      const asked = { model: 'omni-moderation-latest', input: [{ type: 'text' as const, text: 'Hi' }] }
      const { data, response } = await through.moderations.create(asked).withResponse()
      expect(JSON.stringify(data)).toBe(JSON.stringify(await direct.moderations.create(asked)))
      expect(response.headers.get('x-gateway-cost-usd')).toBe('0')
    })

    it('uses omni-moderation-latest where no model is named', async () => {
      setting.upstream.usually(verdict)
      expect((await post('moderations', { input: 'Hi' })).status).toBe(200)
      expect(lastBody()).toBe('{"input":"Hi","model":"omni-moderation-latest"}')
    })
  })

  describe('POST /v1/rerank', () => {
    const asked = {
      model: 'openai-compatible/jina-reranker',
      query: 'q',
      documents: ['a', { text: 'b' }],
      top_n: 1.0,
    }

    it('passes to the rerank of any provider that has it, the answer as it comes', async () => {
      const answer = { results: [{ index: 1, relevance_score: 0.5 }], usage: { total_tokens: 12 } }
      setting.upstream.usually(json(answer))
      const response = await post('rerank', asked)
      expect(await response.json()).toEqual(answer)
      expect(setting.upstream.calls.at(-1)?.path).toBe('/v1/rerank')
      expect(JSON.parse(lastBody())).toEqual({ ...asked, model: 'jina-reranker' })
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ inputTokens: 12, model: 'openai-compatible/jina-reranker' })
      expect(line).not.toHaveProperty('costUsd')
    })

    it('is refused without documents', async () => {
      const response = await post('rerank', { ...asked, documents: [] })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { param: 'documents' } })
    })
  })
})
