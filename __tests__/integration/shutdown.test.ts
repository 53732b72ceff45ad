import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { firstResponse } from '../support/raw-http.ts'
import { chunk, hangs, neverEnds, says, sse, streamEnd, write } from '../support/upstream-behaviour.ts'

describe.each(HOSTS)('SIGTERM under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeEach(async () => {
    upstream = await FakeUpstream.start()
  })
  afterEach(async () => {
    await gateway.stop()
    await upstream.stop()
  })

  const start = async (graceSeconds: number) => {
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
    })
  }
  const ready = async () => (await fetch(`${gateway.url}/api/health/ready`)).status
  const stopping = () =>
    gateway.until(() => gateway.everything.includes('"stopping"') || undefined, 'the stop')

  it('says not ready at once, lets a running stream end, and exits with 0', async () => {
    await start(6)
    const released = Promise.withResolvers<void>()
    upstream.usually(async (response, _asked, signal) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      await write(response, sse(chunk({ content: 'Under way,' })), signal)
      await released.promise
      await write(response, sse(chunk({ content: ' and at its end' })), signal)
      response.end(streamEnd())
    })
    const answer = await post(gateway.url, { prompt: 'Hi', model: 'openai/any', stream: true })
    gateway.signal('SIGTERM')
    await stopping()
    expect(await ready()).toBe(503)
    released.resolve()
    const found = await events(answer)
    expect(textOf(found)).toBe('Under way, and at its end')
    expect(found.at(-1)?.event).toBe('done')
    expect(await gateway.exited()).toBe(0)
  })

  it('closes each connection with its answer, also one that was awaited before', async () => {
    await start(6)
    const released = Promise.withResolvers<void>()
    upstream.usually(async (...call) => {
      await released.promise
      return says(['Hello'])(...call)
    })
    const kept = await fetch(`${gateway.url}/api/health/live`)
    expect(kept.headers.get('connection')).toBe('keep-alive')
    const awaited = post(gateway.url, { prompt: 'Hi', model: 'openai/any' })
    await gateway.until(() => upstream.calls[0], 'the call')
    gateway.signal('SIGTERM')
    await stopping()
    released.resolve()
    const answers = [
      await fetch(`${gateway.url}/api/health/ready`),
      await fetch(`${gateway.url}/api/models`),
      await fetch(`${gateway.url}/v1/none`),
      await awaited,
    ]
    expect(answers.map(({ status }) => status)).toEqual([503, 200, 404, 200])
    expect(answers.map(({ headers }) => headers.get('connection'))).toEqual(Array(4).fill('close'))
  })

  it('sends what outlasts the grace an error, stream and JSON alike, and exits with 0', async () => {
    await start(2)
    upstream.forModel('endless', neverEnds({ paceMs: 20 })).forModel('silent', hangs)
    const stream = await post(gateway.url, { prompt: 'Hi', model: 'openai/endless', stream: true })
    const plain = post(gateway.url, { prompt: 'Hi', model: 'openai/silent' })
    await gateway.until(() => upstream.callsFor('silent')[0], 'the call')
    gateway.signal('SIGTERM')
    const last = (await events(stream)).at(-1)
    expect(last).toMatchObject({
      event: 'error',
      data: { error: { code: 'SHUTTING_DOWN', retryable: true } },
    })
    expect((await plain).status).toBe(503)
    expect(await gateway.exited()).toBe(0)
    expect(upstream.open).toEqual([])
  })

  it('refuses what comes after its notice in the form of the API, /api and /v1', async () => {
    const refusals: readonly (readonly [string, object])[] = [
      ['/api/models', { error: expect.objectContaining({ code: 'SHUTTING_DOWN', retryable: true }) }],
      [
        '/v1/models',
        { error: { message: expect.any(String), type: 'api_error', param: null, code: 'shutting_down' } },
      ],
    ]
    await start(6)
    upstream.usually(hangs)
    post(gateway.url, { prompt: 'Hi', model: 'openai/any' }).catch(() => {})
    await gateway.until(() => upstream.calls[0], 'the call')
    // A connection in the middle of a request stays, when those that wait for one are closed.
    const begun = refusals.map(([path, body]) => {
      const socket = createConnection(Number(new URL(gateway.url).port), '127.0.0.1')
      socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n`)
      return { socket, answered: text(socket), body }
    })
    gateway.signal('SIGTERM')
    const status = () => fetch(`${gateway.url}/api/models`).then(answer => answer.status)
    await expect.poll(() => status().catch(() => 'refused'), { timeout: 6_000 }).not.toBe(200)
    for (const { socket, answered, body } of begun) {
      socket.write('connection: close\r\n\r\n')
      const response = firstResponse(await answered)
      expect([response.status, JSON.parse(response.body)]).toEqual([503, body])
    }
  })

  it('waits for a stream that can be resumed, also while it has no reader, and breaks it off in the end', async () => {
    await start(2)
    upstream.forModel('endless', neverEnds({ paceMs: 20, piece: '.' }))
    const client = new AbortController()
    const headers = { 'x-gateway-resume': 'true', 'x-request-id': 'left-alone' }
    const body = { prompt: 'Hi', model: 'openai/endless', stream: true }
    const answer = await post(gateway.url, body, { headers, signal: client.signal })
    const id = answer.headers.get('x-gateway-stream-id')
    client.abort()
    gateway.signal('SIGTERM')
    await stopping()
    const last = (await events(await fetch(`${gateway.url}/api/chat/${id}/stream`))).at(-1)
    expect(last).toMatchObject({ event: 'error', data: { error: { code: 'SHUTTING_DOWN' } } })
    expect(await gateway.exited()).toBe(0)
    expect(upstream.open).toEqual([])
    expect(await gateway.lineOf('left-alone')).toMatchObject({ outcome: 'error', code: 'SHUTTING_DOWN' })
  })

  it('lets a stream be stopped meanwhile, which then ends as done', async () => {
    await start(6)
    upstream.forModel('endless', neverEnds({ paceMs: 20, piece: '.' }))
    const headers = { 'x-gateway-resume': 'true' }
    const answer = await post(
      gateway.url,
      { prompt: 'Hi', model: 'openai/endless', stream: true },
      { headers },
    )
    const id = answer.headers.get('x-gateway-stream-id')
    gateway.signal('SIGTERM')
    await stopping()
    const ended = events(answer)
    const stopped = await fetch(`${gateway.url}/api/chat/${id}/stop`, { method: 'POST' })
    expect(await stopped.json()).toMatchObject({ id, stopped: true })
    expect((await ended).at(-1)).toMatchObject({ event: 'done', data: { finishReason: 'stopped' } })
    expect(await gateway.exited()).toBe(0)
  })

  it('twice exits at once', async () => {
    await start(15)
    upstream.usually(hangs)
    post(gateway.url, { prompt: 'Hi', model: 'openai/any' }).catch(() => {})
    await gateway.until(() => upstream.calls[0], 'the call')
    gateway.signal('SIGTERM')
    await stopping()
    gateway.signal('SIGTERM')
    expect(await gateway.exited()).toBe(143)
  })
})
