import OpenAI from 'openai'
import type { ChatCompletionChunk, ChatCompletionCreateParams } from 'openai/resources/chat/completions'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import {
  type Behaviour,
  chunk,
  completion,
  refuses,
  says,
  sends,
  sse,
  streamEnd,
  USAGE,
} from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const MODEL = 'gpt-4o'
const messages: ChatCompletionCreateParams['messages'] = [{ role: 'user', content: 'Hi' }]

/** Answers with this completion, or with these chunks and the usage. */
const gives = (whole: object, chunks: readonly object[]): Behaviour => {
  const usage = { ...chunk({}), choices: [], usage: USAGE }
  const stream = sends([...[...chunks, usage].map(one => sse(one)), sse('[DONE]')])
  const json = sends([JSON.stringify(whole)], { type: 'application/json' })
  return (response, asked, signal) => (asked.stream ? stream : json)(response, asked, signal)
}

const call = (index: number, fields: object) => chunk({ tool_calls: [{ index, ...fields }] })

const TOOL_CALL = {
  id: 'call_1',
  type: 'function',
  function: { name: 'weather', arguments: '{"city":"Köln"}' },
}
const callsATool = gives(
  {
    ...completion(MODEL, '', 'tool_calls'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, tool_calls: [TOOL_CALL] },
        finish_reason: 'tool_calls',
        vendor_note: 'kept',
      },
    ],
  },
  [
    chunk({ role: 'assistant', content: null }),
    call(0, { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }),
    call(0, { function: { arguments: '{"city":' } }),
    { ...call(0, { function: { arguments: '"Köln"}' } }), vendor_note: 'kept' },
    chunk({}, 'tool_calls'),
  ],
)

const collectChunks = async (stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> => {
  const chunks: ChatCompletionChunk[] = []
  for await (const one of stream) chunks.push(one)
  return chunks
}

describe.each(HOSTS)('POST /v1/chat/completions under the %s server', host => {
  let setting: UpstreamGateway
  let direct: OpenAI
  let through: OpenAI

  const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'placeholder', maxRetries: 0 })
  const post = (body: string, headers: Record<string, string> = {}) =>
    fetch(`${setting.gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  const bodyOf = (more: object) => JSON.stringify({ model: MODEL, messages, ...more })
  const lastBody = () => setting.upstream.calls.at(-1)?.body ?? ''

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, () => ({
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      ANTHROPIC_API_KEY: 'sk-ant',
    }))
    direct = clientOf(setting.upstream.baseUrl)
    through = clientOf(`${setting.gateway.url}/v1`)
  })
  beforeEach(() => void setting.upstream.usually(says(['Hello', ' there', '!'])))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  describe('gives the official client what it gets from the upstream itself', () => {
    it.each<[string, Behaviour]>([
      ['text', says(['Hello', ' there', '!'])],
      ['a tool call, with fields of the vendor’s own', callsATool],
      [
        'two choices, with log probabilities',
        gives(
          {
            ...completion(MODEL, 'a'),
            choices: [0, 1].map(index => ({
              index,
              message: { role: 'assistant', content: `answer ${index}` },
              logprobs: { content: [{ token: 'a', logprob: -0.25, bytes: null, top_logprobs: [] }] },
              finish_reason: 'stop',
            })),
          },
          [
            {
              ...chunk({ role: 'assistant', content: 'a' }),
              choices: [0, 1].map(index => ({ index, delta: { content: `${index}` }, finish_reason: null })),
            },
            { ...chunk({}), choices: [0, 1].map(index => ({ index, delta: {}, finish_reason: 'stop' })) },
          ],
        ),
      ],
    ])('%s, whole and streamed', async (_, behaviour) => {
      setting.upstream.usually(behaviour)
      const asked = { model: MODEL, messages }
      const [ours, theirs] = [
        await through.chat.completions.create(asked),
        await direct.chat.completions.create(asked),
      ]
      expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
      const streamed = { ...asked, stream: true, stream_options: { include_usage: true } } as const
      const [ourChunks, theirChunks] = [
        await collectChunks(await through.chat.completions.create(streamed)),
        await collectChunks(await direct.chat.completions.create(streamed)),
      ]
      expect(ourChunks).toEqual(theirChunks)
    })
  })

  describe('sends upstream', () => {
    it('the body as it was written: unknown fields, order, and the spelling of numbers', async () => {
      const body = `{"temperature": 1.0, "model": "${MODEL}","seed":9007199254740993, "x_vendor":{"b":1e400,"a":[1.50]}, "messages":[{"role":"user","content":"Hi","cache_control":{"type":"ephemeral"}}]}`
      expect((await post(body)).status).toBe(200)
      expect(lastBody()).toBe(
        `{"temperature":1.0,"model":"${MODEL}","seed":9007199254740993,"x_vendor":{"b":1e400,"a":[1.50]},"messages":[{"role":"user","content":"Hi","cache_control":{"type":"ephemeral"}}]}`,
      )
    })

    it.each<[string, unknown]>([
      ['none', 'none'],
      ['required', 'required'],
      ['a function', { type: 'function', function: { name: 'weather' } }],
      [
        'some tools',
        {
          type: 'allowed_tools',
          allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'weather' } }] },
        },
      ],
    ])('tool_choice: %s', async (_, choice) => {
      const tools = [{ type: 'function', function: { name: 'weather', parameters: { type: 'object' } } }]
      expect((await post(bodyOf({ tools, tool_choice: choice }))).status).toBe(200)
      expect(JSON.parse(lastBody())).toMatchObject({ tools, tool_choice: choice })
    })

    it('max_tokens as max_completion_tokens to a model that takes only that', async () => {
      expect((await post(bodyOf({ model: 'o3', max_tokens: 9 }))).status).toBe(200)
      expect(JSON.parse(lastBody())).toMatchObject({ max_completion_tokens: 9 })
      expect(JSON.parse(lastBody())).not.toHaveProperty('max_tokens')
    })

    it('one limit where the client sent both names of it', async () => {
      expect((await post(bodyOf({ model: 'o3', max_tokens: 9, max_completion_tokens: 8 }))).status).toBe(200)
      expect(lastBody()).toContain('"max_completion_tokens":8')
      expect(lastBody()).not.toContain('9')
    })

    it('the instructions as part of the user’s words to a model without roles for them', async () => {
      setting.upstream.forModel('plain', (response, asked, signal) =>
        asked.messages.some(({ role }) => role === 'system')
          ? refuses(400, { body: '{"error":{"message":"System role not supported"}}' })(
              response,
              asked,
              signal,
            )
          : says(['ok'])(response, asked, signal),
      )
      const system = { role: 'system', content: 'Be brief.' }
      const response = await post(
        bodyOf({ model: 'openai/plain', messages: [system, ...messages], x_vendor: 1.0 }),
      )
      expect(response.status).toBe(200)
      expect(JSON.parse(lastBody())).toMatchObject({
        messages: [{ role: 'user', content: 'Be brief.\n\nHi' }],
      })
    })

    it('no credential of the client', async () => {
      await post(bodyOf({}), { authorization: 'Bearer sk-client-secret', 'x-api-key': 'sk-client-secret' })
      expect(JSON.stringify(setting.upstream.calls.at(-1)?.headers)).not.toContain('sk-client-secret')
    })
  })

  describe('streams', () => {
    it('the usage only where it was asked for, though the upstream always is', async () => {
      const asked = { model: MODEL, messages, stream: true } as const
      const without = await collectChunks(await through.chat.completions.create(asked))
      expect(JSON.parse(lastBody())).toMatchObject({ stream_options: { include_usage: true } })
      expect(without.some(one => 'usage' in one || one.choices.length === 0)).toBe(false)
      const withUsage = await collectChunks(
        await through.chat.completions.create({ ...asked, stream_options: { include_usage: true } }),
      )
      expect(withUsage.filter(one => one.choices.length === 0)).toHaveLength(1)
      expect(withUsage.at(-1)?.usage).toMatchObject({ prompt_tokens: 7, completion_tokens: 5 })
    })

    it('one [DONE], and an end without a finish reason before it as stop', async () => {
      setting.upstream.usually(sends([sse(chunk({ content: 'Hi' })), sse('[DONE]')]))
      const text = await (await post(bodyOf({ stream: true }))).text()
      expect(text.match(/data: \[DONE\]/g)).toHaveLength(1)
      expect(text.match(/"finish_reason":"stop"/g)).toHaveLength(1)
    })

    it('an error where the upstream’s stream ends early, and no [DONE] after it', async () => {
      setting.upstream.usually(sends([sse(chunk({ content: 'Hi' }))]))
      const stream = await through.chat.completions.create({ model: MODEL, messages, stream: true })
      await expect(collectChunks(stream)).rejects.toMatchObject({ code: 'provider_error' })
      const text = await (await post(bodyOf({ stream: true }))).text()
      expect(text).not.toContain('[DONE]')
    })

    it('the calls of a vendor that sends names late, no index, or the id with each fragment as they should be', async () => {
      setting.upstream.usually(
        sends([
          sse(chunk({ role: 'assistant' })),
          sse(chunk({ tool_calls: [{ id: 'call_a', function: { arguments: '{"a"' } }] })),
          sse(chunk({ tool_calls: [{ id: 'call_a', function: { name: 'one', arguments: ':1}' } }] })),
          sse(chunk({ tool_calls: [{ id: 'call_b', function: { name: 'two', arguments: '{' } }] })),
          sse(chunk({ tool_calls: [{ id: 'call_b', function: { name: 'two', arguments: '}' } }] })),
          streamEnd('tool_calls'),
        ]),
      )
      const chunks = await collectChunks(
        await through.chat.completions.create({ model: MODEL, messages, stream: true }),
      )
      const deltas = chunks.flatMap(one => one.choices[0]?.delta.tool_calls ?? [])
      expect(deltas).toEqual([
        { index: 0, id: 'call_a', type: 'function', function: { name: 'one', arguments: '{"a":1}' } },
        { index: 1, id: 'call_b', type: 'function', function: { name: 'two', arguments: '{' } },
        { index: 1, function: { arguments: '}' } },
      ])
    })
  })

  describe('refuses', () => {
    it.each<[string, object, number, string, string | null]>([
      ['an unknown model', { model: 'no-such-model' }, 404, 'model_not_found', 'model'],
      ['no messages', { messages: [] }, 400, 'invalid_input', 'messages'],
      [
        'the result of a tool without the id of its call',
        { messages: [{ role: 'tool', tool_call_id: '', content: '1' }] },
        400,
        'invalid_input',
        'messages[0].tool_call_id',
      ],
    ])('%s', async (_, fields, status, code, param) => {
      const response = await post(bodyOf(fields))
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ error: { code, param, message: expect.any(String) } })
      expect(response.headers.get('x-should-retry')).toBe('false')
    })

    it('what the upstream refuses, with its status and in its words', async () => {
      const error = {
        message: 'Invalid schema for sk-test',
        type: 'invalid_request_error',
        param: 'tools[0]',
        code: 'invalid_schema',
      }
      setting.upstream.usually(refuses(400, { body: JSON.stringify({ error }) }))
      const response = await post(bodyOf({}))
      expect(response.status).toBe(400)
      expect(await response.json()).toEqual({ error: { ...error, message: 'Invalid schema for ***' } })
    })

    it.each([
      [401, 502, 'provider_error'],
      [429, 503, 'provider_rate_limit'],
      [500, 502, 'provider_error'],
    ])('with the gateway’s own error where the upstream answers %d', async (theirs, status, code) => {
      // Of its own, since a model that is refused or busy is not called again for a while.
      setting.upstream.forModel(`busy-${theirs}`, refuses(theirs))
      const response = await post(bodyOf({ model: `openai/busy-${theirs}` }))
      expect(response.status).toBe(status)
      expect(await response.json()).toMatchObject({ error: { code } })
    })

    it('two credentials that differ', async () => {
      const response = await post(bodyOf({}), { authorization: 'Bearer one', 'api-key': 'two' })
      expect(response.status).toBe(400)
    })
  })

  describe('reads bodies', () => {
    it.each(['gzip', 'br', 'zstd'] as const)('compressed as %s', async encoding => {
      const zlib = await import('node:zlib')
      const encode = { gzip: zlib.gzipSync, br: zlib.brotliCompressSync, zstd: zlib.zstdCompressSync }[
        encoding
      ]
      const response = await fetch(`${setting.gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
        body: new Uint8Array(encode(Buffer.from(bodyOf({})))),
      })
      expect(response.status).toBe(200)
    })

    it('that decode to more than 32 MB with 413, without decoding them whole', async () => {
      const { gzipSync } = await import('node:zlib')
      const response = await fetch(`${setting.gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        body: new Uint8Array(gzipSync(Buffer.alloc(64 * 1024 * 1024, ' '))),
      })
      expect(response.status).toBe(413)
    })
  })

  describe('has headers that clients read', () => {
    it('x-request-id, openai-processing-ms, and what the gateway did', async () => {
      const { headers } = await post(bodyOf({}))
      expect(headers.get('x-request-id')).toMatch(/^[\w-]+$/)
      expect(headers.get('openai-processing-ms')).toMatch(/^\d+$/)
      expect(headers.get('x-gateway-provider')).toBe('openai')
    })
  })

  it('lists the models that can be called, in OpenAI’s and Anthropic’s form', async () => {
    const listed = await through.models.list()
    expect(listed.data.map(({ id }) => id)).toContain(MODEL)
    expect(await through.models.retrieve(MODEL)).toMatchObject({
      id: MODEL,
      object: 'model',
      owned_by: 'openai',
    })
    const page = (await (await fetch(`${setting.gateway.url}/v1/models?limit=1`)).json()) as {
      data: unknown[]
    }
    expect(page).toMatchObject({ has_more: true, first_id: expect.any(String) })
    expect(page.data).toHaveLength(1)
    for (const [path, method] of [
      ['/v1//models', 'GET'],
      ['/v1/models', 'HEAD'],
      ['/v1/models', 'OPTIONS'],
    ] as const)
      expect((await fetch(`${setting.gateway.url}${path}`, { method })).ok, `${method} ${path}`).toBe(true)
    await expect(through.models.retrieve('no-such-model')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })
})
