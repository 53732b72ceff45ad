import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import { type Behaviour, inTurn, refuses, sends } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const MODEL = 'text-embedding-3-small'
const VECTOR = [0.25, -0.5, 1]
const BASE64 = Buffer.from(Float32Array.from(VECTOR).buffer).toString('base64')

const json = (value: object): Behaviour => sends([JSON.stringify(value)], { type: 'application/json' })

/** Answers in the encoding that is asked for, with a field of its own. */
const embeds: Behaviour = (response, asked, signal) => {
  const { encoding_format: format, input } = asked as { encoding_format?: string; input?: unknown }
  const embedding = format === 'base64' ? BASE64 : VECTOR
  const asList = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input]
  return json({
    object: 'list',
    data: asList.map((__, index) => ({ object: 'embedding', index, embedding, vendor_note: 'kept' })),
    model: MODEL,
    usage: { prompt_tokens: 8, total_tokens: 8 },
  })(response, asked, signal)
}

let inputs = 0
/** A text that has not been asked before. */
const newInput = (): string => `text ${++inputs}`

describe.each(HOSTS)('POST /v1/embeddings under the %s server', host => {
  let setting: UpstreamGateway
  let direct: OpenAI
  let through: OpenAI

  const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'placeholder', maxRetries: 0 })
  const post = (body: object | string, headers: Record<string, string> = {}) =>
    fetch(`${setting.gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, () => ({
      BREAKER_FAILURES: '1000',
      ANTHROPIC_API_KEY: 'sk-ant',
    }))
    direct = clientOf(setting.upstream.baseUrl)
    through = clientOf(`${setting.gateway.url}/v1`)
  })
  beforeEach(() => void setting.upstream.usually(embeds))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  it.each([
    ['base64, as it asks by default', undefined],
    ['floats', 'float'],
    ['base64 as text', 'base64'],
  ] as const)('gives the official client what the upstream gives it: %s', async (_, encoding_format) => {
    const asked = { model: MODEL, input: newInput(), ...(encoding_format && { encoding_format }) }
    const ours = await through.embeddings.create(asked)
    const theirs = await direct.embeddings.create(asked)
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
    const [own, reference] = setting.upstream.calls.slice(-2)
    expect(JSON.parse(own?.body ?? '')).toEqual(JSON.parse(reference?.body ?? ''))
    expect(own?.path).toBe('/v1/embeddings')
    expect(own?.headers.authorization).toBe('Bearer sk-test')
  })

  it('sends the body as it was written: unknown fields, order, and the spelling of numbers', async () => {
    const input = newInput()
    const body = `{"x_first": 1.0, "input": "${input}", "dimensions": 1e2, "model": "openai/${MODEL}", "x_vendor": {"b": 1e400, "a": [1.50]}}`
    expect((await post(body)).status).toBe(200)
    expect(setting.upstream.calls.at(-1)?.body).toBe(
      `{"x_first":1.0,"input":"${input}","dimensions":1e2,"model":"${MODEL}","x_vendor":{"b": 1e400, "a": [1.50]}}`,
    )
  })

  it('returns the answer byte for byte, with its cost in a header and in the log', async () => {
    const answer =
      '{ "data" : [{"embedding":[1.0, 2.50]}],\n "usage":{"prompt_tokens":1000,"total_tokens":1000} }'
    setting.upstream.usually(sends([answer], { type: 'application/json' }))
    const response = await post({ model: MODEL, input: newInput() })
    expect(await response.text()).toBe(answer)
    expect(response.headers.get('x-gateway-cost-usd')).toBe('0.00002')
    expect(response.headers.get('x-gateway-provider')).toBe('openai')
    const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
    expect(line).toMatchObject({ route: '/v1/embeddings', inputTokens: 1000, costUsd: 0.00002 })
  })

  it('says no cost where the price is unknown', async () => {
    const response = await post({ model: 'text-embedding-9', input: newInput() })
    expect(response.status).toBe(200)
    expect(response.headers.has('x-gateway-cost-usd')).toBe(false)
    const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
    expect(line).not.toHaveProperty('costUsd')
  })

  it('passes an answer of more than 1 MiB as it comes', async () => {
    const answer = JSON.stringify({
      data: [{ embedding: 'A'.repeat(3 * 1024 * 1024) }],
      usage: { prompt_tokens: 5, total_tokens: 5 },
    })
    setting.upstream.usually(sends([answer], { type: 'application/json' }))
    const response = await post({ model: MODEL, input: newInput() })
    expect((await response.text()) === answer).toBe(true)
    const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
    expect(line).toMatchObject({ inputTokens: 5, costUsd: 0.0000001 })
  })

  describe('the cache', () => {
    it('answers the same input again without the upstream, for nothing', async () => {
      const asked = { model: MODEL, input: [newInput(), newInput()], dimensions: 3 }
      const first = await post(asked)
      const before = setting.upstream.calls.length
      const second = await post(asked)
      expect(await second.text()).toBe(await first.text())
      expect(setting.upstream.calls.length).toBe(before)
      expect(second.headers.get('x-gateway-cache')).toBe('hit')
      expect(second.headers.get('x-gateway-cost-usd')).toBe('0')
      expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    })

    it('does not keep an answer with fewer vectors than there are inputs', async () => {
      const asked = { model: MODEL, input: [newInput(), newInput()] }
      setting.upstream.usually(json({ object: 'list', data: [{ index: 0, embedding: VECTOR }] }))
      expect((await post(asked)).status).toBe(200)
      setting.upstream.usually(embeds)
      const again = await post(asked)
      expect(again.headers.get('x-gateway-cache')).toBe('miss')
      expect((await again.json()).data).toHaveLength(2)
    })

    it('asks the upstream once for callers that ask at the same time', async () => {
      const asked = { model: MODEL, input: newInput() }
      const calls = () => setting.upstream.calls.filter(({ body }) => body.includes(asked.input))
      const answer = Promise.withResolvers<void>()
      setting.upstream.usually(async (...call) => {
        await answer.promise
        return embeds(...call)
      })
      const first = post(asked)
      await setting.gateway.until(() => calls()[0], 'the call')
      const second = post(asked)
      // The second one has arrived when a later request has been answered.
      expect((await post({ model: 'no-such-model', input: 'a' })).status).toBe(404)
      answer.resolve()
      const [one, other] = [await first, await second]
      expect(await other.text()).toBe(await one.text())
      expect(calls()).toHaveLength(1)
      expect(other.headers.get('x-gateway-cost-usd')).toBe('0')
    })

    it.each([
      ['encoding', { encoding_format: 'base64' }],
      ['dimensions', { dimensions: 2 }],
      ['model', { model: 'text-embedding-3-large' }],
      ['input', { input: 'another' }],
    ])('does not mistake one %s for another', async (_, change) => {
      const asked = { model: MODEL, input: newInput() }
      await post(asked)
      const other = await post({ ...asked, ...change })
      expect(other.headers.get('x-gateway-cache')).toBe('miss')
    })

    it.each([
      ['no-store', 'bypass'],
      ['no-cache', 'miss'],
    ])('is passed over with Cache-Control: %s', async (directive, cache) => {
      const asked = { model: MODEL, input: newInput() }
      await post(asked)
      const again = await post(asked, { 'cache-control': directive })
      expect(again.headers.get('x-gateway-cache')).toBe(cache)
    })
  })

  describe('failures', () => {
    it('of the upstream are retried before any byte has come', async () => {
      setting.upstream.usually(inTurn(refuses(500), embeds))
      const response = await post({ model: MODEL, input: newInput() })
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-attempts')).toBe('2')
    })

    it('of a body that is cut are retried too', async () => {
      setting.upstream.usually(
        inTurn(sends(['{"data":'], { type: 'application/json', ending: 'reset' }), embeds),
      )
      expect((await post({ model: MODEL, input: newInput() })).status).toBe(200)
    })

    it('of an answer without vectors are retried, and nothing of it is kept', async () => {
      setting.upstream.usually(json({ object: 'list' }))
      const asked = { model: MODEL, input: newInput() }
      const response = await post(asked)
      expect(response.status).toBe(502)
      expect(await response.json()).toMatchObject({ error: { code: 'provider_error' } })
      expect(Number(response.headers.get('x-gateway-attempts'))).toBeGreaterThan(1)
      setting.upstream.usually(embeds)
      expect((await post(asked)).headers.get('x-gateway-cache')).toBe('miss')
    })

    it.each<[string, object, number, string, string | null]>([
      ['an unknown model', { model: 'no-such-model' }, 404, 'model_not_found', 'model'],
      ['no model', { model: null }, 400, 'invalid_input', 'model'],
      ['an empty input', { input: [] }, 400, 'invalid_input', 'input'],
      ['a provider without the endpoint', { model: 'anthropic/any' }, 400, 'invalid_input', 'model'],
    ])('are OpenAI’s errors: %s', async (_, fields, status, code, param) => {
      const response = await post({ model: MODEL, input: newInput(), ...fields })
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ error: { code, param, message: expect.any(String) } })
      expect(response.headers.get('x-should-retry')).toBe('false')
    })

    it('of a provider without the endpoint are no attempts', async () => {
      const response = await post({ model: 'anthropic/any', input: newInput() })
      expect(response.headers.has('x-gateway-attempts')).toBe(false)
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).not.toHaveProperty('provider')
    })

    it('are the upstream’s own words where it refuses the request', async () => {
      const error = {
        message: 'too many inputs for sk-test',
        type: 'invalid_request_error',
        param: 'input',
        code: 'x',
      }
      setting.upstream.usually(refuses(400, { body: JSON.stringify({ error }) }))
      const response = await post({ model: MODEL, input: newInput() })
      expect(response.status).toBe(400)
      expect(await response.json()).toEqual({ error: { ...error, message: 'too many inputs for ***' } })
    })

    it.each([
      ['an error in a successful answer', json({ error: { message: 'no', type: 'server_error' } })],
      ['an answer that is not JSON', sends(['<html>'], { type: 'application/json' })],
    ])('are 502 for %s', async (_, behaviour) => {
      setting.upstream.usually(behaviour)
      expect((await post({ model: MODEL, input: newInput() })).status).toBe(502)
    })
  })

  it('a client that leaves ends the upstream’s call', async () => {
    setting.upstream.usually(() => {})
    const left = new AbortController()
    const input = newInput()
    const asked = fetch(`${setting.gateway.url}/v1/embeddings`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: MODEL, input }),
      signal: left.signal,
    }).catch(() => {})
    const call = () => setting.upstream.calls.find(({ body }) => body.includes(input))
    await setting.gateway.until(call, 'the call')
    left.abort()
    await asked
    await setting.gateway.until(() => call()?.abandonedAt, 'the end of the call')
  })

  it('its models are listed under /v1/models, and cannot chat', async () => {
    const listed = await through.models.list()
    expect(listed.data.map(({ id }) => id)).toContain(MODEL)
    const { models } = (await (await fetch(`${setting.gateway.url}/api/models`)).json()) as {
      models: { id: string }[]
    }
    expect(models.map(({ id }) => id)).not.toContain(MODEL)
    for (const model of [MODEL, `openai/${MODEL}`]) {
      const response = await fetch(`${setting.gateway.url}/api/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'Hi', model }),
      })
      expect(response.status, model).toBe(400)
      const chat = through.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hi' }] })
      await expect(chat, model).rejects.toMatchObject({ status: 400, param: 'model' })
    }
  })
})
