import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import type { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { neverEnds, says, stallsAfter, USAGE } from '../support/upstream-behaviour.ts'
import { startUpstreamGateway, stopUpstreamGateway } from '../support/upstream-gateway.ts'

const RESUME = { 'x-gateway-resume': 'true' }
const GRACE_SECONDS = 2
const PIECES = Array.from({ length: 40 }, (_, index) => `piece ${index} – é😀 `)

describe.each(HOSTS)('a stream that can be resumed, under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    ;({ upstream, gateway } = await startUpstreamGateway(host, () => ({
      RESUME_GRACE_SECONDS: String(GRACE_SECONDS),
      MAX_RESPONSE_BYTES: String(64 * 1024 * 1024),
    })))
  })
  afterAll(() => stopUpstreamGateway({ upstream, gateway }))

  let asked = 0
  const ask = async (model: string, headers: Record<string, string> = {}) => {
    const client = new AbortController()
    const requestId = `resume-${++asked}`
    const answer = await post(
      gateway.url,
      { prompt: 'Hi', model: `openai/${model}`, stream: true },
      { headers: { ...RESUME, 'x-request-id': requestId, ...headers }, signal: client.signal },
    )
    const id = answer.headers.get('x-gateway-stream-id') ?? ''
    return { answer, client, requestId, id, reader: new Connection(answer) }
  }
  const back = (
    id: string,
    lastEventId?: string,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ) =>
    fetch(`${gateway.url}/api/chat/${id}/stream`, {
      ...(signal && { signal }),
      headers: { ...headers, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
    })
  const stop = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/api/chat/${id}/stop`, { method: 'POST', headers })

  it('gives its id in the header and in its first event, and numbers every event', async () => {
    const { answer, id } = await ask(upstream.modelThat(says(['Hello', ' there'])))
    expect(id).toMatch(/^chat_[\da-f]{32}$/)
    const frames = await answer.text()
    expect(frames).toContain(`event: start\ndata: {"id":"${id}"`)
    expect([...frames.matchAll(/^id: (\d+)$/gm)].map(([, number]) => Number(number))).toEqual([1, 2, 3, 4])
  })

  it('goes on, byte for byte, where a cut connection ended, for several readers at once', async () => {
    const model = upstream.modelThat(says(PIECES, { paceMs: 15 }))
    const { reader, client, id, requestId } = await ask(model)
    await reader.until(received => received.includes('piece 5'))
    client.abort()

    const second = new Connection(await back(id, reader.lastEventId))
    await second.until(received => received.includes('piece 15'))
    await second.cut()
    const [third, whole] = await Promise.all([
      back(id, second.lastEventId).then(async answer => withoutComments(await answer.text())),
      back(id).then(answer => answer.text()),
    ])
    expect(reader.wholeFrames + second.wholeFrames + third).toBe(whole)
    expect(whole.match(/event: delta/g)?.length).toBe(PIECES.length)
    expect(whole).toMatch(/event: done\ndata: .*\n\n$/)
    expect(upstream.callsFor(model)).toHaveLength(1)

    expect(await gateway.lineOf(requestId)).toMatchObject({
      outcome: 'ok',
      finishReason: 'stop',
      outputTokens: USAGE.completion_tokens,
    })
    expect(gateway.log.filter(line => line.requestId === requestId)).toHaveLength(1)
    expect(
      gateway.log.filter(line => line.route === '/api/chat/{id}/stream' && 'outputTokens' in line),
    ).toEqual([])
  })

  it('is read to its end also by a client that stops reading for a while', async () => {
    const { reader, id } = await ask(upstream.modelThat(says(PIECES)))
    await back(id).then(answer => answer.text())
    await reader.until(received => received.includes('event: done'))
    expect(reader.wholeFrames).toBe(await (await back(id)).text())
  })

  it('shows a client that comes back at once that it is there, also while nothing comes', async () => {
    const { reader, id } = await ask(upstream.modelThat(stallsAfter('one ', 'two ', 'three ')))
    await reader.until(received => received.split('event: delta').length > 3)
    const client = new AbortController()
    const returned = await back(id, reader.lastEventId, {}, client.signal)
    expect(returned.status).toBe(200)
    await new Connection(returned).until(received => received === ': ping\n\n')
    client.abort()
    await stop(id)
  })

  it('answers who has seen the end with nothing more', async () => {
    const { answer, id } = await ask(upstream.modelThat(says(['Hi'])))
    const last = [...(await answer.text()).matchAll(/^id: (\d+)$/gm)].at(-1)?.[1]
    expect((await back(id, last)).status).toBe(204)
  })

  it('leaves the upstream when no client has come back within the grace period', async () => {
    const model = upstream.modelThat(neverEnds({ paceMs: 50, piece: '.' }))
    const { reader, client, id, requestId } = await ask(model)
    await reader.until(received => received.includes('event: delta'))
    client.abort()
    expect(upstream.callsFor(model)[0]?.abandonedAt).toBeUndefined()
    await gateway.until(() => upstream.callsFor(model)[0]?.abandonedAt, 'the upstream being left')
    expect(await gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', code: 'CLIENT_GONE' })
    expect(await (await back(id)).text()).toMatch(/event: error\ndata: .*"CLIENT_GONE".*\n\n$/)
  })

  it('without being asked for ends with its connection', async () => {
    const model = upstream.modelThat(neverEnds({ paceMs: 20, piece: '.' }))
    const { reader, client, id, requestId } = await ask(model, { 'x-gateway-resume': 'no' })
    await reader.until(received => received.includes('event: delta'))
    expect([id, reader.received.includes('id: ')]).toEqual(['', false])
    client.abort()
    await gateway.until(() => upstream.callsFor(model)[0]?.abandonedAt, 'the upstream being left')
    expect(await gateway.lineOf(requestId)).toMatchObject({ outcome: 'aborted', code: 'CLIENT_GONE' })
  })

  it('stops when asked to: the upstream is left, the text kept, and the stream ends as done', async () => {
    const model = upstream.modelThat(neverEnds({ paceMs: 20 }))
    const { reader, id, requestId } = await ask(model)
    await reader.until(received => received.split('event: delta').length > 5)
    const stopped = await stop(id)
    expect(stopped.status).toBe(200)
    const { content, ...told } = await json(stopped)
    expect(told).toEqual({ id, stopped: true })
    expect(content).toMatch(/^(word ){5,}$/)
    await gateway.until(() => upstream.callsFor(model)[0]?.abandonedAt, 'the upstream being left')

    await reader.until(received => received.includes('event: done'))
    const texts = [...reader.received.matchAll(/event: delta\ndata: (.*)/g)].map(
      ([, data = '']) => JSON.parse(data).text,
    )
    expect(texts.join('')).toBe(content)
    const line = await gateway.lineOf(requestId)
    expect(line).toMatchObject({ outcome: 'ok', finishReason: 'stopped', estimated: true })
    expect(line.outputTokens).toBeGreaterThan(0)
    const done = JSON.parse(/event: done\ndata: (.*)/.exec(reader.received)?.[1] ?? '')
    const { inputTokens, outputTokens } = line
    expect(done).toMatchObject({ usage: { inputTokens, outputTokens, estimated: true }, costUsd: null })
    expect(await json(await stop(id))).toEqual({ id, stopped: true, content })
  })

  it('tells who stops it too late that it was over', async () => {
    const { answer, id } = await ask(upstream.modelThat(says(['All of it'])))
    await answer.text()
    expect(await json(await stop(id))).toEqual({ id, stopped: false, content: 'All of it' })
  })

  it('is there for the caller who asked, and for no other', async () => {
    const cookieOf = async () => {
      const session = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
      return session.headers.get('set-cookie')?.split(';')[0] ?? ''
    }
    const [ada, bob] = [await cookieOf(), await cookieOf()]
    const { answer, id } = await ask(upstream.modelThat(says(['secret'])), { cookie: ada })
    const whole = await answer.text()
    expect(await (await back(id, undefined, { cookie: ada })).text()).toBe(whole)
    const others: Record<string, string>[] = [{ cookie: bob }, {}]
    for (const headers of others) {
      for (const refused of [await back(id, undefined, headers), await stop(id, headers)]) {
        expect(refused.status).toBe(404)
        expect((await json(refused)).error.code).toBe('NOT_FOUND')
      }
    }
  })

  it.each([
    ['the bare prefix', 'chat_'],
    ['one nobody has', `chat_${'0'.repeat(32)}`],
    ['capitals', `CHAT_${'0'.repeat(32)}`],
    ['a path', '..%2f..%2fetc'],
    ['a zero byte', '%00'],
    ['far too many letters', 'a'.repeat(3_000)],
  ])('is not found by an id that is %s', async (_, id) => {
    for (const refused of [await back(id), await stop(id)]) {
      expect(refused.status).toBe(404)
      expect((await json(refused)).error.code).toBe('NOT_FOUND')
    }
  })

  it.each([
    ['negative', '-1'],
    ['an exponent', '1e3'],
    ['beyond its end', '99999'],
    ['a word', 'abc'],
    ['two numbers', '1, 2'],
    ['far too many digits', '9'.repeat(400)],
  ])('refuses a Last-Event-ID that is %s', async (_, lastEventId) => {
    const { answer, id } = await ask(upstream.modelThat(says(['Hi'])))
    await answer.text()
    const refused = await back(id, lastEventId)
    expect(refused.status).toBe(400)
    expect((await json(refused)).error).toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: 'Last-Event-ID' }],
    })
  })

  it('is taken from the upstream to its end also while its reader reads nothing', async () => {
    // More than the sockets between upstream and reader hold together.
    const model = upstream.modelThat(says(Array(768).fill('x'.repeat(32 * 1024))))
    const stalled = request(`${gateway.url}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...RESUME },
    })
    stalled.on('error', () => {})
    stalled.end(JSON.stringify({ prompt: 'Hi', model: `openai/${model}`, stream: true }))
    stalled.once('response', response => response.pause())
    await gateway.until(() => upstream.callsFor(model)[0]?.finishedAt, 'the whole answer being taken')
    stalled.destroy()
  })
})

describe.each(HOSTS)('coming back and stopping, under the %s host', host => {
  it('count as any other request, not as a chat', async () => {
    const gateway = await GatewayProcess.start(host, {
      RATE_LIMIT_ANONYMOUS: '1/1m',
      RATE_LIMIT_API: '2/1m',
    })
    try {
      const answer = await post(
        gateway.url,
        { prompt: 'Hi', model: 'mock/echo', stream: true },
        { headers: RESUME },
      )
      const stream = `${gateway.url}/api/chat/${answer.headers.get('x-gateway-stream-id')}`
      await answer.text()
      const [back, stopped, refused] = [
        await fetch(`${stream}/stream`),
        await fetch(`${stream}/stop`, { method: 'POST' }),
        await fetch(`${stream}/stream`),
      ]
      expect([back.status, stopped.status, refused.status]).toEqual([200, 200, 429])
      expect(back.headers.get('ratelimit-policy')).toBe('"api";q=2;w=60')
    } finally {
      await gateway.stop()
    }
  })
})

const withoutComments = (frames: string): string => frames.replace(/^: .*\n\n/gm, '')

/** What comes over one connection, until it is cut. */
class Connection {
  readonly #body: Response['body']
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #decoder = new TextDecoder()
  received = ''

  constructor({ body }: Response) {
    this.#body = body
  }

  async until(enough: (received: string) => boolean): Promise<void> {
    this.#reader ??= this.#body?.getReader()
    while (!enough(this.received)) {
      const step = await this.#reader?.read()
      if (!step || step.done) throw new Error(`it ended early:\n${this.received}`)
      this.received += this.#decoder.decode(step.value, { stream: true })
    }
  }

  async cut(): Promise<void> {
    await this.#reader?.cancel()
  }

  get wholeFrames(): string {
    return withoutComments(this.received.slice(0, this.received.lastIndexOf('\n\n') + 2))
  }

  get lastEventId(): string | undefined {
    return [...this.wholeFrames.matchAll(/^id: (\d+)$/gm)].at(-1)?.[1]
  }
}
