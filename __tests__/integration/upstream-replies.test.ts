import { createServer } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { type ChatEvent, events, type Json, post, textOf } from '../support/chat.ts'
import type { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import {
  type Behaviour,
  chunk,
  completion,
  refuses,
  sends,
  sse,
  streamEnd,
} from '../support/upstream-behaviour.ts'
import { startUpstreamGateway, stopUpstreamGateway } from '../support/upstream-gateway.ts'

const DONE = 'data: [DONE]\n\n'
const said = sse(chunk({ content: 'Hi' }))
const whole = completion('m', 'Hi')
const bodyOf = (more: object): string => JSON.stringify({ ...whole, ...more })

/** Answers 200 with JSON in the words of a text, so that it may hold what `JSON.stringify` does not write. */
const tells = (body: string | Uint8Array, headers: Record<string, string> = {}): Behaviour =>
  sends([body], { type: 'application/json', headers })

const choice = (message: object, finish: string) =>
  bodyOf({ choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }] })

const json = async (url: string, body: object): Promise<{ answer: Response; body: Json }> => {
  const answer = await post(url, body)
  return { answer, body: await answer.json() }
}

const streamed = async (
  url: string,
  body: object,
): Promise<{ answer: Response; events: readonly ChatEvent[] }> => {
  const answer = await post(url, { ...body, stream: true })
  return { answer, events: await events(answer) }
}

describe.each(HOSTS)('replies of upstreams under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    ;({ upstream, gateway } = await startUpstreamGateway(host, baseUrl => ({
      GEMINI_API_KEY: 'sk-test',
      GEMINI_BASE_URL: baseUrl,
    })))
  })
  afterAll(() => stopUpstreamGateway({ upstream, gateway }))

  /** Asks once for a model that behaves like this; the answer, or what a stream's last event says. */
  const ask = async (behaviour: Behaviour, stream = false) => {
    const model = upstream.modelThat(behaviour)
    const body = { prompt: 'Hello', model: `openai/${model}`, fallback: false, cache: 'no-store' }
    if (!stream) return { ...(await json(gateway.url, body)), asked: upstream.callsFor(model).length }
    const { answer, events: found } = await streamed(gateway.url, body)
    const last = found.at(-1)
    return {
      answer,
      body: { ...last?.data, event: last?.event, content: textOf(found) } as Json,
      asked: upstream.callsFor(model).length,
    }
  }

  it.each<[string, object, string]>([
    ['null content, cut by its length', { content: null }, 'length'],
    ['no content, cut by its length', {}, 'length'],
    ['null content, filtered', { content: null }, 'content_filter'],
    ['null content, with tool calls', { content: null, tool_calls: [] }, 'tool_calls'],
  ])('are answers without text, asked for once: %s', async (_, message, finish) => {
    const { answer, body, asked } = await ask(tells(choice(message, finish)))
    expect([answer.status, asked]).toEqual([200, 1])
    expect(body).toMatchObject({ content: '', finishReason: finish })
  })

  it('are failures where the finish reason is “error”, whole and as a stream', async () => {
    const failed = await ask(tells(choice({ content: 'Half' }, 'error')))
    expect([failed.answer.status, failed.body.error.code]).toEqual([502, 'PROVIDER_ERROR'])
    const { body } = await ask(sends([said, sse(chunk({}, 'error')), DONE]), true)
    expect(body).toMatchObject({ event: 'error', error: { code: 'PROVIDER_ERROR' } })
  })

  it.each<[string, string]>([
    ['an empty object', '{}'],
    ['an empty body', ''],
    ['choices that are an object', bodyOf({ choices: {} })],
    ['content that is a number', choice({ content: 7 }, 'stop')],
    ['a list', '[1]'],
  ])('are the provider’s failure, 502, where they are malformed: %s', async (_, body) => {
    const { answer, body: told } = await ask(tells(body))
    expect([answer.status, told.error]).toMatchObject([502, { code: 'PROVIDER_ERROR', retryable: true }])
  })

  it.each<[string, string]>([
    ['−1,000,000', '{"prompt_tokens":-1000000,"completion_tokens":-5}'],
    ['1e400', '{"prompt_tokens":1e400,"completion_tokens":1e400}'],
    ['9.5', '{"prompt_tokens":9.5,"completion_tokens":2.25}'],
    ['2^64 − 1', '{"prompt_tokens":18446744073709551615,"completion_tokens":18446744073709551615}'],
    ['0/0', '{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}'],
    [
      '−100,000 cached',
      '{"prompt_tokens":2,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":-100000}}',
    ],
  ])('have their usage estimated where it cannot be right, at no absurd cost: %s', async (_, usage) => {
    const told = tells(bodyOf({ usage: 0 }).replace('"usage":0', `"usage":${usage}`))
    upstream.forModel('gpt-4o-mini', told)
    const { answer, body } = await json(gateway.url, {
      prompt: 'Hello',
      model: 'gpt-4o-mini',
      cache: 'no-store',
    })
    expect(body).toMatchObject({
      usage: { inputTokens: 2, outputTokens: 1, estimated: true },
      costUsd: 0.0000009,
    })
    expect(answer.headers.get('x-gateway-cost-usd')).toBe('0.0000009')
    expect(await gateway.lineOf(answer.headers.get('x-request-id') ?? '')).toMatchObject({
      estimated: true,
      costUsd: 0.0000009,
    })
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).not.toMatch(/^parley_(tokens|cost_usd)_total\{[^}]*\} (-|.*(NaN|Inf|e\+))/m)

    const batch = new BatchClient(gateway.url)
    const asked = upstream.callsFor('gpt-4o-mini').length
    const job = await batch.submit([{ prompt: 'Hello', model: 'gpt-4o-mini', cache: 'no-store' }])
    expect(await batch.ended(job.id)).toMatchObject({ state: 'completed', costUsd: 0.0000009 })
    expect(upstream.callsFor('gpt-4o-mini')).toHaveLength(asked + 1)
    expect(gateway.everything).not.toContain('unhandled promise rejection')
  })

  it.each([false, true])('count Gemini’s thoughts, which only the total holds (stream: %s)', async stream => {
    const usage = { prompt_tokens: 12, completion_tokens: 9, total_tokens: 64 }
    upstream.forModel(
      'gemini-2.5-flash',
      stream ? sends([sse({ ...chunk({ content: 'Hi' }, 'stop'), usage }), DONE]) : tells(bodyOf({ usage })),
    )
    const request = { prompt: 'Hello', model: 'gemini-2.5-flash', cache: 'no-store' }
    const body = stream
      ? (await streamed(gateway.url, request)).events.at(-1)?.data
      : (await json(gateway.url, request)).body
    expect(body).toMatchObject({
      usage: { inputTokens: 12, outputTokens: 52, reasoningTokens: 43 },
      costUsd: 0.0001336,
    })
  })

  it.each([
    ['a ping with data', 'event: ping\ndata: 1\n\n'],
    ['a ping without', 'event: ping\ndata: \n\n'],
    ['a keepalive in words', 'event: keepalive\ndata: keepalive\n\n'],
    ['a status in words', 'event: status\ndata: done\n\n'],
    ['empty data', 'data:\n\n'],
    ['JSON that is no object', 'data: "processing"\n\n'],
    ['null', sse('null')],
    ['a word', sse('ping')],
    ['a word in brackets', sse('[KEEPALIVE]')],
    ['a comment of a relay as data', sse(': OPENROUTER PROCESSING')],
    ['JSON that is no chunk', 'data: {"type":"status"}\n\n'],
  ])('may hold events that hold nothing, which are counted: %s', async (_, event) => {
    const { answer, body } = await ask(sends([event, said, event, streamEnd()]), true)
    expect(body).toMatchObject({ event: 'done', content: 'Hi', finishReason: 'stop' })
    const line = await gateway.lineOf(answer.headers.get('x-request-id') ?? '')
    expect(line).toMatchObject({ ignoredEvents: 2 })
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(Number(/^parley_ignored_upstream_events_total (\d+)$/m.exec(metrics)?.[1])).toBeGreaterThan(1)
  })

  it.each<[string, readonly string[]]>([
    ['a last event without its blank line', [said, sse(chunk({}, 'stop')), 'data: [DONE]']],
    ['a last chunk without its blank line', [said, sse(chunk({}, 'stop')).trimEnd()]],
    ['an end mark in lower case', [said, sse(chunk({}, 'stop')), sse('[done]')]],
    ['an end mark under a name', [said, sse(chunk({}, 'stop')), `event: done\n${DONE}`]],
    ['an end mark without brackets', [said, sse(chunk({}, 'stop')), sse('DONE')]],
    ['no [DONE] after the finish reason', [said, sse(chunk({}, 'stop'))]],
    [
      'an empty error beside each chunk',
      [sse({ ...chunk({ content: 'Hi' }), error: { message: '', code: null } }), streamEnd()],
    ],
  ])('are complete with %s', async (_, pieces) => {
    const { body } = await ask(sends(pieces), true)
    expect(body).toMatchObject({ event: 'done', content: 'Hi', finishReason: 'stop' })
    expect(body.warnings).toBeUndefined()
  })

  it('are the choice of index 0 where several come, as a whole and as a stream', async () => {
    const second = { index: 1, message: { content: 'No' }, finish_reason: 'length' }
    const { body: fromWhole } = await ask(tells(bodyOf({ choices: [second, ...whole.choices] })))
    const other = (delta: object, finish_reason: string | null = null) =>
      sse({ choices: [{ index: 1, delta, finish_reason }] })
    const pieces = [said, other({ content: 'No' }), sse(chunk({}, 'stop')), other({}, 'length'), DONE]
    const { body: fromStream } = await ask(sends(pieces), true)
    for (const body of [fromWhole, fromStream])
      expect(body).toMatchObject({ content: 'Hi', finishReason: 'stop' })
  })

  it.each<[string, readonly string[]]>([
    ['alone', [sse(whole), DONE]],
    ['after its pieces', [said, sse(whole), DONE]],
  ])('may hold a whole answer in one event, which counts once: %s', async (_, pieces) => {
    const { body } = await ask(sends(pieces), true)
    expect(body).toMatchObject({ event: 'done', content: 'Hi', finishReason: 'stop' })
  })

  it('never ask a caller to wait for longer than a year', async () => {
    const { answer, body } = await ask(refuses(429, { headers: { 'retry-after': '9'.repeat(40) } }))
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '31536000'])
    expect(body.error).toMatchObject({ code: 'PROVIDER_RATE_LIMIT', retryAfterSeconds: 31_536_000 })
  })

  it('end with “other” and a warning where [DONE] comes without a finish reason', async () => {
    const { body } = await ask(sends([said, sse(chunk({}, '')), DONE]), true)
    expect(body).toMatchObject({
      event: 'done',
      content: 'Hi',
      finishReason: 'other',
      warnings: ['The provider did not say why the answer ended; it may be incomplete.'],
    })
  })

  it.each<[string, Behaviour]>([
    ['it ends before a finish reason', sends([said])],
    ['its last event is cut off', sends([said, sse(chunk({}, 'stop')), 'data: {"choices":['])],
    ['its end mark is cut off', sends([said, 'data: [DON'])],
    [
      'the connection breaks after the finish reason',
      sends([said, sse(chunk({}, 'stop'))], { ending: 'reset' }),
    ],
  ])('fail where %s', async (_, behaviour) => {
    const { body } = await ask(behaviour, true)
    expect(body).toMatchObject({ event: 'error', content: 'Hi' })
  })

  it.each([
    ['in upper case', 'TEXT/EVENT-STREAM'],
    ['of JSON', 'application/json'],
    ['of text', 'text/plain'],
  ])('are streams also with a content type %s', async (_, type) => {
    const { body } = await ask(sends([said, streamEnd()], { type }), true)
    expect(body).toMatchObject({ event: 'done', content: 'Hi' })
  })

  it('may be JSON where a stream was asked for, and begin with a byte order mark', async () => {
    expect((await ask(tells(`\ufeff${bodyOf({})}`), true)).body).toMatchObject({
      event: 'done',
      content: 'Hi',
    })
    expect((await ask(tells(`\ufeff${bodyOf({})}`))).body).toMatchObject({ content: 'Hi' })
  })

  it.each<[string, (text: string) => Buffer]>([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['Deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['identity, GZIP', gzipSync],
  ])('may be encoded once though the gateway did not ask for it: %s', async (encoding, encode) => {
    const headers = { 'content-encoding': encoding }
    expect(await ask(tells(encode(bodyOf({})), headers))).toMatchObject({ asked: 1, body: { content: 'Hi' } })
    const bytes = encode(said + streamEnd())
    const halves = [bytes.subarray(0, 9), bytes.subarray(9)]
    expect((await ask(sends(halves, { headers }), true)).body).toMatchObject({ event: 'done', content: 'Hi' })
  })

  it('are refused once, and not asked for again, in two encodings', async () => {
    const twice = gzipSync(gzipSync(bodyOf({})))
    const { answer, body, asked } = await ask(tells(twice, { 'content-encoding': 'gzip, gzip' }))
    expect([answer.status, asked]).toEqual([502, 1])
    expect(body.error).toMatchObject({ code: 'PROVIDER_ERROR', retryable: false })
  })

  it('say why they are refused also in an encoding', async () => {
    const { answer, body } = await ask(response => {
      const error = { message: 'maximum context length', code: 'context_length_exceeded' }
      response
        .writeHead(400, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync(JSON.stringify({ error })))
    })
    expect([answer.status, body.error.code]).toEqual([400, 'CONTEXT_LENGTH'])
  })

  it('fail where their encoding is broken', async () => {
    const { answer, body } = await ask(tells('no gzip at all', { 'content-encoding': 'gzip' }))
    expect([answer.status, body.error.code]).toEqual([502, 'PROVIDER_ERROR'])
  })

  it('may come over HTTP/1.0, whose bodies end with their connection', async () => {
    const old = createServer(socket =>
      socket.once('data', data => {
        const isStream = String(data).includes('"stream":true')
        const [type, body] = isStream
          ? ['text/event-stream', said + streamEnd()]
          : ['application/json', bodyOf({})]
        socket.end(`HTTP/1.0 200 OK\r\nContent-Type: ${type}\r\n\r\n${body}`)
      }),
    )
    await new Promise<void>(resolve => old.listen(0, '127.0.0.1', resolve))
    const { port } = old.address() as { port: number }
    const before = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
    })
    const request = { prompt: 'Hello', model: 'openai/m', cache: 'no-store' }
    expect((await json(before.url, request)).body).toMatchObject({ content: 'Hi' })
    const { events: found } = await streamed(before.url, request)
    expect([textOf(found), found.at(-1)?.event]).toEqual(['Hi', 'done'])
    await before.stop()
    old.close()
  })
})
