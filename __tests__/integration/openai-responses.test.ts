import OpenAI from 'openai'
import type { ResponseStreamEvent } from 'openai/resources/responses/responses'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import {
  callItem,
  eventsIn,
  frame,
  messageItem,
  nativeEvents,
  nativeResponse,
  reasoningItem,
  responds,
  withoutResponses,
} from '../support/responses-behaviour.ts'
import { type Behaviour, refuses, says, sends } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const MODEL = 'gpt-4o'
/** At a provider that has chat completions alone. */
const TRANSLATED = 'openai-compatible/local'
const TEXT = nativeResponse('resp_text', [messageItem('msg_1', 'Hello there!')])
const CALL = nativeResponse('resp_call', [
  reasoningItem('rs_1'),
  callItem('fc_1', 'call_1', 'weather', '{"city":"Köln"}'),
])
const CUT = nativeResponse('resp_cut', [messageItem('msg_1', 'Hel')], {
  status: 'incomplete',
  incomplete_details: { reason: 'max_output_tokens' },
})
const WEATHER = {
  type: 'function',
  name: 'weather',
  description: 'The weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
} as const

const collected = async (stream: AsyncIterable<ResponseStreamEvent>): Promise<ResponseStreamEvent[]> => {
  const events: ResponseStreamEvent[] = []
  for await (const event of stream) events.push(event)
  return events
}

describe.each(HOSTS)('POST /v1/responses under the %s server', host => {
  let setting: UpstreamGateway
  let direct: OpenAI
  let through: OpenAI

  const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'sk-client-secret', maxRetries: 0 })
  const postTo = (base: string, body: object | string, headers: Record<string, string> = {}) =>
    fetch(`${base}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const post = (body: object | string, headers?: Record<string, string>) =>
    postTo(`${setting.gateway.url}/v1`, body, headers)
  const lastCall = () => setting.upstream.calls.at(-1)
  const lastBody = () => JSON.parse(lastCall()?.body ?? '{}')

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      OPENAI_COMPATIBLE_BASE_URL: baseUrl,
      AZURE_OPENAI_API_KEY: 'azure',
      AZURE_OPENAI_BASE_URL: baseUrl,
      METRICS_TOKEN: 'metrics-token-of-16',
    }))
    direct = clientOf(setting.upstream.baseUrl)
    through = clientOf(`${setting.gateway.url}/v1`)
  })
  beforeEach(() => void setting.upstream.usually(says(['Hello', ' there', '!'])))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  describe('to an upstream that has it', () => {
    it.each([
      ['text', TEXT],
      ['reasoning and a tool call', CALL],
      ['an answer that was cut', CUT],
    ])('passes %s back byte for byte, whole and streamed', async (_, response) => {
      setting.upstream.usually(responds(response))
      for (const stream of [false, true]) {
        const body = { model: MODEL, input: 'Hi', stream }
        const [ours, theirs] = [await post(body), await postTo(setting.upstream.baseUrl, body)]
        expect(await ours.text()).toBe(await theirs.text())
        expect(ours.headers.get('content-type')).toContain(stream ? 'text/event-stream' : 'application/json')
      }
    })

    it('gives the official client what it gets from the upstream itself', async () => {
      setting.upstream.usually(responds(CALL))
      const asked = { model: MODEL, input: 'Hi', tools: [WEATHER] }
      expect(await through.responses.create(asked)).toEqual(await direct.responses.create(asked))
      const streamed = { ...asked, stream: true } as const
      expect(await collected(await through.responses.create(streamed))).toEqual(
        await collected(await direct.responses.create(streamed)),
      )
      const final = await through.responses.stream(asked).finalResponse()
      expect(final.output).toMatchObject(CALL.output)
    })

    it('passes the body on as it was written, and no credential of the client (case 14, 16)', async () => {
      setting.upstream.usually(responds(TEXT))
      const body = `{"temperature": 1.0, "model": "${MODEL}","x_vendor":{"b":1e400,"a":[1.50]}, "input":[{"role":"user","content":"Hi"}],"tools":[{"type":"web_search"}]}`
      expect((await post(body, { authorization: 'Bearer sk-client-secret' })).status).toBe(200)
      expect(lastCall()?.path).toBe('/v1/responses')
      expect(lastCall()?.body).toBe(
        `{"temperature":1.0,"model":"${MODEL}","x_vendor":{"b":1e400,"a":[1.50]},"input":[{"role":"user","content":"Hi"}],"tools":[{"type":"web_search"}]}`,
      )
      expect(JSON.stringify(lastCall()?.headers)).not.toContain('sk-client-secret')
      expect(lastCall()?.headers.authorization).toBe('Bearer sk-test')
    })

    it('passes items of types that it does not read on as they were written', async () => {
      setting.upstream.usually(responds(TEXT))
      const items = [
        { type: 'tool_search_call', call_id: 'call_1', execution: 'client', arguments: { goal: 'tides' } },
        { type: 'tool_search_output', call_id: 'call_1', execution: 'client', tools: [] },
        { role: 'user', content: 'Hi' },
      ]
      const body = JSON.stringify({ model: MODEL, input: items, tools: [{ type: 'tool_search' }] })
      expect((await post(body)).status).toBe(200)
      expect(lastCall()?.body).toBe(body)
    })

    it('asks it for a stream exactly when the client does', async () => {
      setting.upstream.usually(responds(TEXT))
      await post({ model: MODEL, input: 'Hi' })
      expect(lastBody()).not.toHaveProperty('stream')
      await (await post({ model: MODEL, input: 'Hi', stream: true })).text()
      expect(lastBody()).toMatchObject({ stream: true })
      expect(lastBody()).not.toHaveProperty('stream_options')
    })

    it.each([false, true])('counts and prices its usage, streamed: %s', async stream => {
      setting.upstream.usually(responds(TEXT))
      const response = await post({ model: MODEL, input: 'Hi', stream })
      if (!stream) expect(Number(response.headers.get('x-gateway-cost-usd'))).toBeGreaterThan(0)
      await response.text()
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({
        inputTokens: 20,
        outputTokens: 9,
        costUsd: (12 * 2.5 + 8 * 1.25 + 9 * 10) / 1e6,
        finishReason: 'stop',
      })
    })

    it('gives its refusal of a request, with its status and in its words', async () => {
      const error = {
        message: 'Unknown parameter',
        type: 'invalid_request_error',
        param: 'x',
        code: 'unknown',
      }
      setting.upstream.usually(refuses(400, { body: JSON.stringify({ error }) }))
      await expect(through.responses.create({ model: MODEL, input: 'Hi' })).rejects.toMatchObject({
        status: 400,
        param: 'x',
        code: 'unknown',
      })
    })

    it('falls back to another model while only the beginning of a stream has come', async () => {
      const beginning = nativeEvents(TEXT).slice(0, 4).map(frame)
      const failed = {
        type: 'response.failed',
        sequence_number: 4,
        response: { error: { code: 'server_error', message: 'x' } },
      }
      setting.upstream.forModel('gpt-4.1', sends([...beginning, frame(failed)]))
      setting.upstream.forModel('gpt-4.1-mini', responds(TEXT))
      const response = await post({ model: 'gpt-4.1', input: 'Hi', stream: true })
      expect(response.headers.get('x-gateway-fallback')).toBe('true')
      expect(await response.text()).toBe(nativeEvents(TEXT).map(frame).join(''))
    })

    it('passes on its own event of a response that failed, and no error event beside it', async () => {
      const beginning = nativeEvents(TEXT).slice(0, 5).map(frame)
      const failed = (message: string) =>
        frame({
          type: 'response.failed',
          sequence_number: 5,
          response: { ...TEXT, status: 'failed', error: { code: 'server_error', message } },
        })
      setting.upstream.usually(sends([...beginning, failed('sk-test broke')]))
      const asked = { model: MODEL, input: 'Hi', stream: true } as const
      const response = await post(asked)
      expect(await response.text()).toBe([...beginning, failed('*** broke')].join(''))
      const events = await collected(await through.responses.create(asked))
      expect(events.at(-1)).toMatchObject({ type: 'response.failed', response: { usage: TEXT.usage } })
      const line = await setting.gateway.lineOf(response.headers.get('x-request-id') ?? '')
      expect(line).toMatchObject({ inputTokens: 20, outputTokens: 9, code: 'PROVIDER_ERROR' })
    })

    it.each<[string, Behaviour]>([
      [
        'sends an error event',
        sends([
          ...nativeEvents(TEXT).slice(0, 5).map(frame),
          'event: error\ndata: {"type":"error","code":"server_error","message":"sk-test broke","param":null,"sequence_number":5}\n\n',
        ]),
      ],
      ['breaks off', sends(nativeEvents(TEXT).slice(0, 5).map(frame))],
    ])('ends a stream whose upstream %s with numbered error events (case 18)', async (_, behaviour) => {
      setting.upstream.usually(behaviour)
      const asked = { model: MODEL, input: 'Hi', stream: true } as const
      const text = await (await post(asked)).text()
      const last = eventsIn(text).slice(-2)
      expect(last.map(({ event }) => event)).toEqual(['error', 'response.failed'])
      expect(last.map(({ data }) => data.sequence_number)).toEqual([5, 6])
      expect(last[0]?.data).toMatchObject({
        type: 'error',
        code: 'provider_error',
        param: null,
        error: { code: 'provider_error' },
      })
      expect(last[1]?.data.response).toMatchObject({
        id: TEXT.id,
        status: 'failed',
        error: { code: 'server_error', message: last[0]?.data.message },
      })
      expect(text).not.toContain('sk-test')
      expect(text).not.toContain('[DONE]')
      await expect(collected(await through.responses.create(asked))).rejects.toMatchObject({
        code: 'provider_error',
      })
    })

    it('stops it when the client leaves', async () => {
      const model = setting.upstream.modelThat(
        sends(nativeEvents(TEXT).slice(0, 5).map(frame), { ending: 'stall' }),
      )
      const stream = await through.responses.create({ model: `openai/${model}`, input: 'Hi', stream: true })
      for await (const event of stream) if (event.type === 'response.output_text.delta') break
      await expect.poll(() => setting.upstream.callsFor(model)[0]?.abandonedAt).toBeDefined()
    })

    it('understands a whole answer where a stream was wanted, and the other way round', async () => {
      const whole = sends([JSON.stringify(TEXT)], { type: 'application/json' })
      setting.upstream.usually(whole)
      const asked = { model: MODEL, input: 'Hi' }
      const { output_text, status } = await through.responses.stream(asked).finalResponse()
      expect([output_text, status]).toEqual(['Hello there!', 'completed'])
      setting.upstream.usually(sends(nativeEvents(TEXT).map(frame)))
      expect(await (await post(asked)).json()).toEqual(TEXT)
    })

    it('reads events of several MB (case 25)', async () => {
      const long = nativeResponse('resp_long', [messageItem('msg_1', 'x'.repeat(3_000_000))])
      setting.upstream.usually(responds(long))
      const text = await (await post({ model: MODEL, input: 'Hi', stream: true, store: false })).text()
      expect(eventsIn(text).at(-1)?.data.response).toEqual(long)
    })
  })

  describe('to an upstream that answers 404 or 405 there', () => {
    it('remembers that, and translates from the first call on', async () => {
      const model = setting.upstream.modelThat(withoutResponses(says(['Hello'])))
      for (const calls of [2, 3]) {
        const response = await through.responses.create({ model: `azure-openai/${model}`, input: 'Hi' })
        expect(response.output_text).toBe('Hello')
        expect(setting.upstream.callsFor(model)).toHaveLength(calls)
      }
    })

    it.each([
      "Item with id 'rs_1' not found.",
      "Conversation with id 'conv_1' not found.",
      "Vector store with id 'vs_1' not found.",
    ])('does not take what has no such id for a missing endpoint: %s', async message => {
      const error = { message, type: 'invalid_request_error', param: null, code: null }
      const model = setting.upstream.modelThat(refuses(404, { body: JSON.stringify({ error }) }))
      const asked = { model: `openai/${model}`, input: 'Hi' }
      await expect(through.responses.create(asked)).rejects.toMatchObject({ status: 404, error: { message } })
      expect(setting.upstream.callsFor(model)).toHaveLength(1)
    })

    it('does not take an unknown model for a missing endpoint', async () => {
      const error = {
        message: 'The model `x` does not exist',
        type: 'invalid_request_error',
        param: null,
        code: 'model_not_found',
      }
      const model = setting.upstream.modelThat(refuses(404, { body: JSON.stringify({ error }) }))
      await expect(through.responses.create({ model: `openai/${model}`, input: 'Hi' })).rejects.toMatchObject(
        {
          status: 404,
          code: 'model_not_found',
        },
      )
      setting.upstream.usually(responds(TEXT))
      await through.responses.create({ model: MODEL, input: 'Hi' })
      expect(lastCall()?.path).toBe('/v1/responses')
    })
  })

  describe('refuses', () => {
    it.each<[string, object, number, string, string | null]>([
      ['an unknown model', { model: 'no-such-model' }, 404, 'model_not_found', 'model'],
      ['no input', { input: [] }, 400, 'invalid_input', 'input'],
      [
        'an item without its call',
        { input: [{ type: 'function_call_output', output: 'x' }] },
        400,
        'invalid_input',
        'input[0].call_id',
      ],
      ['an answer in the background', { background: true }, 400, 'invalid_input', 'background'],
      [
        'a prompt of the provider’s account',
        { model: TRANSLATED, prompt: { id: 'pmpt_1' } },
        400,
        'invalid_input',
        'prompt',
      ],
      [
        'a conversation at the provider, which all callers share',
        { conversation: 'conv_1' },
        400,
        'invalid_input',
        'conversation',
      ],
    ])('%s', async (_, fields, status, code, param) => {
      const response = await post({ model: MODEL, input: 'Hi', ...fields })
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ error: { code, param, message: expect.any(String) } })
      expect(response.headers.get('x-should-retry')).toBe('false')
    })

    it('with a status before the first content of a stream', async () => {
      setting.upstream.forModel('busy', refuses(500))
      const response = await post({ model: 'openai-compatible/busy', input: 'Hi', stream: true })
      expect(response.status).toBe(502)
      expect(await response.json()).toMatchObject({ error: { code: 'provider_error' } })
    })
  })
})
