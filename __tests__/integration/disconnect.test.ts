import { request } from 'node:http'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { settled } from '../support/settled.ts'
import { Stalls } from '../support/stalls.ts'
import { chunk, hangs, neverEnds, sse } from '../support/upstream-behaviour.ts'
import { startUpstreamGateway, stopUpstreamGateway } from '../support/upstream-gateway.ts'

const CLOSED_WITHIN_MS = 250
const stalls = new Stalls()
afterAll(() => stalls.stop())

describe.each(HOSTS)('a client that leaves, under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    ;({ upstream, gateway } = await startUpstreamGateway(host))
    // What a first request loads must not count as time to react.
    await (await post(gateway.url, { prompt: 'Hi', model: 'openai/warm' })).text()
  })
  afterAll(() => stopUpstreamGateway({ upstream, gateway }))

  const left = async (model: string, leftAt: number) => {
    const [call] = upstream.callsFor(model)
    await gateway.until(() => call?.abandonedAt, 'the upstream being left')
    return stalls.elapsedMs(leftAt, call?.abandonedAt ?? Number.POSITIVE_INFINITY)
  }

  const arrived = (model: string) => gateway.until(() => upstream.callsFor(model)[0], 'the call')
  const aborted = (requestId: string) => gateway.lineOf(requestId)

  it('while it waits for JSON, makes the gateway leave the upstream', async () => {
    const model = upstream.modelThat(hangs)
    const client = new AbortController()
    const headers = { 'x-request-id': `json-${model}` }
    const answer = post(
      gateway.url,
      { prompt: 'Hi', model: `openai/${model}` },
      { signal: client.signal, headers },
    )
    await arrived(model)
    client.abort()
    await expect(answer).rejects.toThrow()
    expect(await left(model, performance.now())).toBeLessThan(CLOSED_WITHIN_MS)
    expect(await aborted(`json-${model}`)).toMatchObject({
      status: 499,
      outcome: 'aborted',
      code: 'CLIENT_GONE',
    })
  })

  it('before the first content of a stream, makes the gateway leave the upstream', async () => {
    const model = upstream.modelThat(hangs)
    const client = new AbortController()
    const answer = post(
      gateway.url,
      { prompt: 'Hi', model: `openai/${model}`, stream: true },
      { signal: client.signal },
    )
    await arrived(model)
    client.abort()
    await expect(answer).rejects.toThrow()
    expect(await left(model, performance.now())).toBeLessThan(CLOSED_WITHIN_MS)
  })

  it('in the middle of a stream, makes the gateway leave the upstream', async () => {
    const model = upstream.modelThat(neverEnds({ paceMs: 10 }))
    const client = new AbortController()
    const headers = { 'x-request-id': `sse-${model}` }
    const answer = await post(
      gateway.url,
      { prompt: 'Hi', model: `openai/${model}`, stream: true },
      { signal: client.signal, headers },
    )
    await answer.body?.getReader().read()
    client.abort()
    expect(await left(model, performance.now())).toBeLessThan(CLOSED_WITHIN_MS)
    expect(await aborted(`sse-${model}`)).toMatchObject({
      outcome: 'aborted',
      code: 'CLIENT_GONE',
      estimated: true,
    })
  })

  it('is not counted against the provider', async () => {
    const health = await (await fetch(`${gateway.url}/api/health`)).json()
    expect(health.services.openai.status).toBe('healthy')
  })

  it('that reads slowly slows the upstream down', async () => {
    let written = 0
    const piece = 'x'.repeat(1_000)
    const model = upstream.modelThat(async (response, _asked, signal) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const line = sse(chunk({ content: piece }))
      while (!signal.aborted && written < 64 * 1024 * 1024) {
        written += line.length
        if (response.write(line)) await turn()
        else
          await new Promise<void>(resolve => {
            response.once('drain', resolve)
            signal.addEventListener('abort', () => resolve())
          })
      }
    })
    const client = request(`${gateway.url}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    client.on('error', () => {})
    client.end(JSON.stringify({ prompt: 'Hi', model: `openai/${model}`, stream: true }))
    const response = await new Promise<import('node:http').IncomingMessage>(resolve =>
      client.once('response', resolve),
    )
    response.pause()
    await settled(() => written)
    client.destroy()
    // What two sockets and their buffers in the kernel hold; without backpressure it would be all of the 64 MiB.
    expect(written).toBeLessThan(16 * 1024 * 1024)
    await left(model, performance.now())
  })
})

describe('a thousand clients that leave at random moments', () => {
  it('leave no call open upstream, and 99 of 100 calls are left within 250 ms', async () => {
    const leftAt = new Map<string, number>()
    const upstream = await FakeUpstream.start()
    upstream.usually(neverEnds({ paceMs: 20 }))
    const gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      LOG_LEVEL: 'silent',
    })
    try {
      const one = async (number: number) => {
        const model = `leaving-${number}`
        const client = new AbortController()
        const body = { prompt: 'Hi', model: `openai/${model}`, stream: number % 2 === 0 }
        const answered = post(gateway.url, body, { signal: client.signal })
          .then(answer => answer.text())
          .catch(() => {})
        // Every second pair leaves whenever it likes; the others once their call has reached the upstream.
        if (number % 4 > 1) await gateway.until(() => upstream.callsFor(model)[0], 'the call')
        await sleep((number * 7919) % 400)
        leftAt.set(model, performance.now())
        client.abort()
        await answered
      }
      for (let wave = 0; wave < 10; wave += 1)
        await Promise.all(Array.from({ length: 100 }, (_, index) => one(wave * 100 + index)))
      await gateway.until(() => upstream.open.length === 0 || undefined, 'the last call being left')
      expect(upstream.calls.length).toBeGreaterThan(300)
      expect(upstream.calls.every(({ finishedAt }) => finishedAt === undefined)).toBe(true)
      const latencies = upstream.calls
        .map(({ asked, arrivedAt, abandonedAt = Number.POSITIVE_INFINITY }) => {
          // A call that arrived after its client had left can be left no sooner than it came.
          return stalls.elapsedMs(Math.max(arrivedAt, leftAt.get(asked.model) ?? 0), abandonedAt)
        })
        .toSorted((a, b) => a - b)
      expect(latencies[Math.floor(latencies.length * 0.99)]).toBeLessThan(CLOSED_WITHIN_MS)
    } finally {
      await gateway.stop()
      await upstream.stop()
    }
  })
})
