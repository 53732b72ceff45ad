import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import {
  chunk,
  echoes,
  hangs,
  neverEnds,
  refuses,
  says,
  sends,
  sse,
  streamEnd,
} from '../support/upstream-behaviour.ts'

const SECRET = 'sk-contract-test-0123456789'

describe.each(HOSTS)('POST /api/chat under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  const ask = (body: unknown, options = {}) => post(gateway.url, body, options)

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: SECRET,
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ALLOWED_ORIGINS: 'https://app.example.com',
      REQUEST_TIMEOUT_MS: '2500',
      IDLE_TIMEOUT_MS: '2500',
      // What repeats, tries again and gives up is tested by itself; here every call is asked once.
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  describe('answers', () => {
    it('in one piece, with everything the contract names', async () => {
      const answer = await ask({ prompt: 'Hi', model: 'gpt-4o' })
      expect(answer.status).toBe(200)
      expect(await json(answer)).toEqual({
        id: expect.stringMatching(/^chat_[0-9a-f]{32}$/),
        requestId: answer.headers.get('x-request-id'),
        model: 'gpt-4o',
        provider: 'openai',
        content: 'Hello there!',
        finishReason: 'stop',
        truncated: false,
        usage: { inputTokens: 7, outputTokens: 5 },
        costUsd: 0.0000675,
        cache: 'bypass',
        latencyMs: expect.any(Number),
      })
      expect(answer.headers.get('x-gateway-cost-usd')).toBe('0.0000675')
    })

    it.each([false, true])('with what the model could not honour (stream: %s)', async stream => {
      const answer = await ask({ prompt: 'Hi', model: 'openai/o3-odd', temperature: 0.2, stream })
      const told = stream ? (await events(answer)).at(-1)?.data : await json(answer)
      expect(told.warnings).toEqual([expect.stringContaining('temperature')])
    })

    it('as server-sent events: start, deltas, done', async () => {
      const answer = await ask({ prompt: 'Hi', model: 'gpt-4o', stream: true })
      expect(answer.headers.get('content-type')).toContain('text/event-stream')
      const found = await events(answer)
      expect(found.map(({ event }) => event)).toEqual(['start', 'delta', 'delta', 'delta', 'done'])
      expect(textOf(found)).toBe('Hello there!')
      expect(found[0]?.data).toMatchObject({ model: 'gpt-4o', provider: 'openai', cache: 'bypass' })
      expect(found.at(-1)?.data).toMatchObject({ finishReason: 'stop', costUsd: 0.0000675, truncated: false })
      expect(found.at(-1)?.data).not.toHaveProperty('content')
    })

    it('with what was asked arriving upstream, and the key with it', async () => {
      const messages = [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: '  Keep my spaces  ' },
      ]
      await ask({ messages, model: 'openai/asked', temperature: 0.5, maxTokens: 17 })
      const [call] = upstream.callsFor('asked')
      expect(call?.asked).toMatchObject({ messages, temperature: 0.5, max_tokens: 17, stream: false })
      expect(call?.headers.authorization).toBe(`Bearer ${SECRET}`)
    })

    it('as one delta when the provider cannot stream', async () => {
      upstream.forModel('no-stream', (response, asked, signal) =>
        says(['whole'])(response, { ...asked, stream: false }, signal),
      )
      const found = await events(await ask({ prompt: 'Hi', model: 'openai/no-stream', stream: true }))
      expect(found.map(({ event }) => event)).toEqual(['start', 'delta', 'done'])
    })

    it('with an unknown price as null, never as zero', async () => {
      const answer = await ask({ prompt: 'Hi', model: 'openai/gpt-9-preview' })
      expect(await json(answer)).toMatchObject({ model: 'openai/gpt-9-preview', costUsd: null })
      expect(answer.headers.has('x-gateway-cost-usd')).toBe(false)
    })

    it('cut at 10,240 bytes on a character boundary, with the upstream stopped', async () => {
      upstream.forModel('endless', neverEnds({ piece: 'grün 🎉 '.repeat(20) }))
      const answer = await json(await ask({ prompt: 'Hi', model: 'openai/endless' }))
      // A provider asked for one piece may still stream; either way the cut is the same.
      expect(answer).toMatchObject({ truncated: true, finishReason: 'length' })
      const bytes = Buffer.byteLength(answer.content)
      expect(bytes).toBeLessThanOrEqual(10_240)
      expect(bytes).toBeGreaterThan(10_240 - 4)
      expect(answer.content).not.toContain('\ufffd')
      expect(answer.usage.estimated).toBe(true)
      await gateway.until(() => upstream.callsFor('endless')[0]?.abandonedAt, 'the upstream being left')
    })
  })

  describe('takes text as it is', () => {
    it.each([
      ['emoji and combining marks', 'ﷺ 👩‍👩‍👧‍👦 Z̤̫̈ \u202eright to left'],
      ['a lone surrogate', '\ud800 alone'],
      ['a replacement character', '\ufffd'],
      ['quotes and backslashes', '"\\n" \\ \' `x` $'],
      ['line ends and tabs', 'a\r\nb\tc\n'],
    ])('%s', async (_, content) => {
      upstream.forModel('echo', echoes)
      const answer = await json(await ask({ messages: [{ role: 'user', content }], model: 'openai/echo' }))
      expect(upstream.callsFor('echo').at(-1)?.asked.messages[0]?.content).toBe(content)
      expect(answer.content).toBe(content)
    })

    it('but takes control characters and outer space off a prompt', async () => {
      upstream.forModel('clean', echoes)
      await ask({ prompt: ' \u0000a\u0007\tb\u007f\nc\u0085 ', model: 'openai/clean' })
      expect(upstream.callsFor('clean')[0]?.asked.messages[0]?.content).toBe('a\tb\nc')
    })
  })

  describe('refuses with a precise fault', () => {
    const message = { role: 'user', content: 'Hi' }
    it.each<[string, unknown, string, RegExp]>([
      ['neither prompt nor messages', {}, 'prompt', /exactly one/],
      ['both prompt and messages', { prompt: 'a', messages: [message] }, 'prompt', /exactly one/],
      ['an empty prompt', { prompt: ' \u0000 ' }, 'prompt', /must not be empty/],
      ['a prompt too long', { prompt: 'x'.repeat(2_001) }, 'prompt', /at most 2,000 characters, has 2,001/],
      ['no messages', { messages: [] }, 'messages', /must not be empty/],
      ['51 messages', { messages: Array(51).fill(message) }, 'messages', /at most 50/],
      [
        'messages too long',
        { messages: [{ role: 'user', content: 'x'.repeat(50_001) }] },
        'messages',
        /50,001/,
      ],
      [
        'an unknown role',
        { messages: [{ role: 'tool', content: 'a' }] },
        'messages[0].role',
        /one of system, user, assistant/,
      ],
      [
        'content of another type',
        { messages: [{ role: 'user', content: 3 }] },
        'messages[0].content',
        /a string, is number/,
      ],
      [
        'a last message not from user',
        { messages: [{ role: 'assistant', content: 'a' }] },
        'messages',
        /from user/,
      ],
      ['an unknown field', { prompt: 'a', foo: 1 }, 'foo', /not a field/],
      [
        'an unknown field within',
        { messages: [{ ...message, name: 'x' }] },
        'messages[0].name',
        /not a field/,
      ],
      ['a temperature out of range', { prompt: 'a', temperature: 2.1 }, 'temperature', /from 0 to 2/],
      ['zero tokens', { prompt: 'a', maxTokens: 0 }, 'maxTokens', /from 1 to/],
      ['half a token', { prompt: 'a', maxTokens: 1.5 }, 'maxTokens', /whole number/],
      ['an unknown cache mode', { prompt: 'a', cache: 'maybe' }, 'cache', /default, refresh, no-store/],
      ['stream as text', { prompt: 'a', stream: 'yes' }, 'stream', /a boolean, is string/],
      ['an unknown model', { prompt: 'a', model: 'gpt-99' }, 'model', /no model/],
      ['a model of no provider', { prompt: 'a', model: 'nobody/x' }, 'model', /no model/],
      ['a model with a line end', { prompt: 'a', model: 'openai/x\r\ny' }, 'model', /printable ASCII/],
      ['a list', [1], 'body', /an object, is array/],
    ])('%s', async (_, body, path, words) => {
      const answer = await ask(body)
      expect(answer.status).toBe(400)
      const { error } = await json(answer)
      expect(error).toMatchObject({
        code: 'INVALID_INPUT',
        retryable: false,
        requestId: answer.headers.get('x-request-id'),
      })
      expect(error.details).toContainEqual({ path, message: expect.stringMatching(words) })
    })

    it('counts characters as people do: 2,000 emoji are 2,000', async () => {
      expect((await ask({ prompt: '🎉'.repeat(2_000), model: 'openai/emoji' })).status).toBe(200)
    })

    it.each<[string, string | Uint8Array]>([
      ['broken JSON', '{"prompt":'],
      ['no body', ''],
      [
        'bytes that are no UTF-8',
        Buffer.from([...Buffer.from('{"prompt":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
      ],
      ['UTF-16', Buffer.from('{"prompt":"a"}', 'utf16le')],
      ['a __proto__ field', '{"prompt":"a","__proto__":{"polluted":1}}'],
      ['an escaped __proto__ field within', '{"messages":[{"\\u005f_proto__":1}]}'],
      ['a field that comes twice', '{"prompt":"a","prompt":"b"}'],
      [
        'a field that comes twice under two spellings',
        '{"messages":[{"role":"user","content":"a","r\\u006fle":"user"}]}',
      ],
      ['nesting without end', `{"prompt":${'['.repeat(200_000)}`],
      ['deep nesting', `{"prompt":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
      ['a number of 100,000 digits', `{"prompt":"a","maxTokens":${'9'.repeat(100_000)}}`],
    ])('%s', async (_, body) => {
      const answer = await ask(body)
      expect(answer.status).toBe(400)
      expect((await json(answer)).error.code).toBe('INVALID_INPUT')
    })

    it('a body that is not JSON by its type with 415', async () => {
      const headers = { 'content-type': 'text/plain' }
      const answer = await ask('{"prompt":"a"}', { headers })
      expect(answer.status).toBe(415)
      expect((await json(answer)).error.code).toBe('UNSUPPORTED_MEDIA_TYPE')
    })

    it('a compressed body with 415', async () => {
      expect((await ask('{"prompt":"a"}', { headers: { 'content-encoding': 'gzip' } })).status).toBe(415)
    })

    it('a body over 1 MB with 413', async () => {
      const answer = await ask({ prompt: 'x'.repeat(1_100_000) })
      expect(answer.status).toBe(413)
      expect((await json(answer)).error.code).toBe('PAYLOAD_TOO_LARGE')
    })

    it('a body of undeclared length over 1 MB with 413', async () => {
      const endless = new ReadableStream<Uint8Array>({
        async pull(controller) {
          // Without a pause the client would write for ever and never come to read its answer.
          await new Promise(resolve => setImmediate(resolve))
          controller.enqueue(new Uint8Array(65_536).fill(0x20))
        },
      })
      const request = {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: endless,
        duplex: 'half',
      }
      const answer = await fetch(`${gateway.url}/api/chat`, request as RequestInit)
      expect(answer.status).toBe(413)
    })

    it('another method with 405 and what is allowed', async () => {
      const answer = await fetch(`${gateway.url}/api/chat`)
      expect(answer.status).toBe(405)
      expect(answer.headers.get('allow')).toBe('POST, OPTIONS')
      expect((await json(answer)).error.code).toBe('METHOD_NOT_ALLOWED')
    })

    it('an address that is not there with 404', async () => {
      const answer = await fetch(`${gateway.url}/api/no/such/thing`)
      expect(answer.status).toBe(404)
      expect((await json(answer)).error.code).toBe('NOT_FOUND')
    })

    it('an unknown key with 401', async () => {
      const answer = await ask({ prompt: 'a' }, { headers: { authorization: 'Bearer sk-nobody' } })
      expect(answer.status).toBe(401)
      expect((await json(answer)).error.code).toBe('UNAUTHENTICATED')
    })

    it('two different keys with 400', async () => {
      const headers = { authorization: 'Bearer one', 'x-api-key': 'two' }
      expect((await ask({ prompt: 'a' }, { headers })).status).toBe(400)
    })
  })

  describe('when the provider fails', () => {
    it.each<[string, ReturnType<typeof refuses>, number, string]>([
      ['500', refuses(500), 502, 'PROVIDER_ERROR'],
      [
        'an HTML page',
        refuses(503, { body: '<html>', headers: { 'content-type': 'text/html' } }),
        502,
        'PROVIDER_ERROR',
      ],
      ['401', refuses(401, { code: 'invalid_api_key' }), 502, 'PROVIDER_ERROR'],
      ['403', refuses(403), 502, 'PROVIDER_ERROR'],
      ['quota used up', refuses(429, { code: 'insufficient_quota' }), 502, 'PROVIDER_ERROR'],
      ['429', refuses(429, { headers: { 'retry-after': '7' } }), 503, 'PROVIDER_RATE_LIMIT'],
      ['context too long', refuses(400, { code: 'context_length_exceeded' }), 400, 'CONTEXT_LENGTH'],
      ['content filter', refuses(400, { code: 'content_filter' }), 422, 'CONTENT_BLOCKED'],
      [
        'a redirect',
        refuses(302, { headers: { location: 'http://169.254.169.254/' } }),
        502,
        'PROVIDER_ERROR',
      ],
      ['unknown model', refuses(404), 404, 'NOT_FOUND'],
      ['an empty 200', sends([], { type: 'application/json' }), 502, 'PROVIDER_ERROR'],
      ['JSON of another kind', sends(['[]'], { type: 'application/json' }), 502, 'PROVIDER_ERROR'],
      [
        'an encoding nobody asked for',
        sends(['x'], { headers: { 'content-encoding': 'gzip' } }),
        502,
        'PROVIDER_ERROR',
      ],
      ['a reset before the first content', sends([': hi\n\n'], { ending: 'reset' }), 502, 'NETWORK'],
      ['silence', hangs, 504, 'TIMEOUT'],
    ])('with %s, says so calmly and leaks nothing', async (_, behaviour, status, code) => {
      const model = upstream.modelThat(behaviour)
      const answers = await Promise.all(
        [false, true].map(stream => ask({ prompt: 'Hi', model: `openai/${model}`, stream })),
      )
      for (const answer of answers) {
        expect(answer.status).toBe(status)
        const text = await answer.text()
        expect(JSON.parse(text).error).toMatchObject({ code, requestId: answer.headers.get('x-request-id') })
        expect(text).not.toContain('must not leak')
        expect(text).not.toContain(SECRET)
        if (status === 503) expect(answer.headers.get('retry-after')).toBe('7')
      }
    })

    it.each<[string, ReturnType<typeof sends>, string]>([
      ['a reset', sends([sse(chunk({ content: 'Half' }))], { ending: 'reset' }), 'NETWORK'],
      ['an early end', sends([sse(chunk({ content: 'Half' }))]), 'PROVIDER_ERROR'],
      [
        'an end mark that is cut off',
        sends([sse(chunk({ content: 'Half' })), 'data: [DON']),
        'PROVIDER_ERROR',
      ],
      ['broken JSON', sends([sse(chunk({ content: 'Half' })), 'data: {"cho\n\n']), 'PROVIDER_ERROR'],
      [
        'an error in the stream',
        sends([sse(chunk({ content: 'Half' })), sse({ error: { message: 'must not leak' } })]),
        'PROVIDER_ERROR',
      ],
      ['silence', sends([sse(chunk({ content: 'Half' }))], { ending: 'stall' }), 'TIMEOUT'],
    ])(
      'in the middle of a stream with %s, ends it with an error event that tells what was used',
      async (_, behaviour, code) => {
        const model = upstream.modelThat(behaviour)
        const answer = await ask({ prompt: 'Hi', model: `openai/${model}`, stream: true })
        expect(answer.status).toBe(200)
        const found = await events(answer)
        expect(found.map(({ event }) => event)).toEqual(['start', 'delta', 'error'])
        expect(found.at(-1)?.data.error).toMatchObject({
          code,
          requestId: answer.headers.get('x-request-id'),
        })
        expect(found.at(-1)?.data).toMatchObject({
          usage: { inputTokens: expect.any(Number), outputTokens: 1, estimated: true },
          costUsd: null,
        })
        expect(JSON.stringify(found)).not.toContain('must not leak')
        expect(await gateway.lineOf(answer.headers.get('x-request-id') ?? '')).toMatchObject({
          outcome: 'error',
          code,
        })
      },
    )

    it('reads a stream however it is written', async () => {
      const text = sse(chunk({ content: 'grün 🎉' }))
        .replace('data: ', 'data:')
        .replaceAll('\n', '\r\n')
      const bytes = Buffer.from(`\ufeff: hello\n\nevent: message\nid: 1\nretry: 5\n${text}${streamEnd()}`)
      const single = [...bytes].map(byte => Uint8Array.of(byte))
      const model = upstream.modelThat(sends(single.slice(0, 60).concat(bytes.subarray(60))))
      expect(textOf(await events(await ask({ prompt: 'Hi', model: `openai/${model}`, stream: true })))).toBe(
        'grün 🎉',
      )
    })
  })

  describe('every answer', () => {
    const HEADERS = {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': expect.any(String),
      'x-request-id': expect.any(String),
      'server-timing': expect.stringContaining('gateway;dur='),
    }
    it.each<[string, () => Promise<Response>]>([
      ['in one piece', () => ask({ prompt: 'Hi' })],
      ['as a stream', () => ask({ prompt: 'Hi', stream: true })],
      ['a refusal', () => ask({})],
      ['a 404', () => fetch(`${gateway.url}/api/none`)],
      ['the list of models', () => fetch(`${gateway.url}/api/models`)],
      ['the liveness probe', () => fetch(`${gateway.url}/api/health/live`)],
    ])('carries the security headers: %s', async (_, get) => {
      const answer = await get()
      await answer.text()
      expect(Object.fromEntries(answer.headers)).toMatchObject(HEADERS)
      expect(answer.headers.has('access-control-allow-origin')).toBe(false)
      expect(answer.headers.has('x-powered-by')).toBe(false)
      expect(answer.headers.has('strict-transport-security')).toBe(false)
    })

    it('says who answered', async () => {
      const answer = await ask({ prompt: 'Hi', model: 'gpt-4o' })
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-gateway-model': 'gpt-4o',
        'x-gateway-provider': 'openai',
        'x-gateway-cache': 'bypass',
        'x-gateway-attempts': '1',
        'x-gateway-fallback': 'false',
      })
    })

    it('keeps a sane request id and replaces any other', async () => {
      const sent = async (id: string) =>
        (await ask({}, { headers: { 'x-request-id': id } })).headers.get('x-request-id')
      expect(await sent('trace-1234:a.b')).toBe('trace-1234:a.b')
      expect(await sent('no spaces')).not.toBe('no spaces')
      expect(await sent('x'.repeat(129))).toMatch(/^[0-9a-f-]{36}$/)
    })

    it('lets in a browser of exactly the allowed origins', async () => {
      const from = async (origin: string) => {
        const preflight = await fetch(`${gateway.url}/api/chat`, { method: 'OPTIONS', headers: { origin } })
        const answer = await ask({}, { headers: { origin } })
        expect(preflight.status).toBe(204)
        expect(answer.headers.get('vary')).toContain('Origin')
        return [preflight, answer].map(({ headers }) => headers.get('access-control-allow-origin'))
      }
      expect(await from('https://app.example.com')).toEqual([
        'https://app.example.com',
        'https://app.example.com',
      ])
      for (const origin of [
        'https://app.example.com.evil.org',
        'https://evil.org',
        'null',
        'http://app.example.com',
      ])
        expect(await from(origin)).toEqual([null, null])
    })

    it('leaves one line in the log, which holds neither prompt nor answer nor key', async () => {
      const prompt = 'a very private question'
      const answer = await ask({ prompt, model: 'gpt-4o' })
      const requestId = answer.headers.get('x-request-id') ?? ''
      expect(await gateway.lineOf(requestId)).toEqual({
        level: 'info',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        message: 'request answered',
        requestId,
        method: 'POST',
        route: '/api/chat',
        status: 200,
        outcome: 'ok',
        caller: 'anonymous',
        provider: 'openai',
        model: 'gpt-4o',
        attempts: 1,
        cache: 'bypass',
        finishReason: 'stop',
        latencyMs: expect.any(Number),
        firstContentMs: expect.any(Number),
        upstreamMs: expect.any(Number),
        inputTokens: 7,
        outputTokens: 5,
        costUsd: 0.0000675,
      })
      expect(gateway.log.filter(line => line.requestId === requestId)).toHaveLength(1)
      for (const secret of [prompt, 'Hello there', SECRET, 'must not leak'])
        expect(gateway.everything).not.toContain(secret)
    })
  })

  it('lists the models, and which of them can be asked', async () => {
    const { models } = await json(await fetch(`${gateway.url}/api/models`))
    expect(models).toContainEqual({
      id: 'gpt-4o',
      provider: 'openai',
      contextTokens: 128_000,
      inputUsdPerMillion: 2.5,
      outputUsdPerMillion: 10,
      available: true,
    })
    expect(models.filter((model: { default?: boolean }) => model.default)).toHaveLength(1)
  })

  it('tells its health', async () => {
    expect(await json(await fetch(`${gateway.url}/api/health/live`))).toEqual({ status: 'ok' })
    expect((await fetch(`${gateway.url}/api/health/ready`)).status).toBe(200)
    const answer = await fetch(`${gateway.url}/api/health`)
    expect(answer.status).toBe(200)
    expect(await json(answer)).toMatchObject({
      status: expect.stringMatching(/^(healthy|degraded)$/),
      uptimeSeconds: expect.any(Number),
      version: '0.1.0',
      services: { limits: { status: 'healthy' }, openai: { status: expect.any(String) } },
    })
  })
})
