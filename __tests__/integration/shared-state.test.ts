import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, type HostName } from '../support/gateway.ts'
import { RedisServer } from '../support/redis.ts'
import { UpstashBridge } from '../support/upstash-bridge.ts'
import { hangs, refuses, says } from '../support/upstream-behaviour.ts'

const PEPPER = 'a pepper that all gateways share'
/** These tests are about what is shared: a machine that stalls must not make a gateway go on by itself. */
const PATIENT = { REDIS_TIMEOUT_MS: '30000', KEY_PEPPER: PEPPER }

let server: RedisServer
let bridge: UpstashBridge
let upstream: FakeUpstream

beforeAll(async () => {
  server = await RedisServer.start()
  bridge = await UpstashBridge.start(server.url)
  upstream = await FakeUpstream.start()
})
afterAll(async () => {
  await bridge?.stop()
  await server?.kill()
  await upstream?.stop()
})

const ACCESS = {
  'over a socket': () => ({ REDIS_URL: server.url }),
  'over REST': () => ({ UPSTASH_REDIS_REST_URL: bridge.url, UPSTASH_REDIS_REST_TOKEN: bridge.token }),
}

const start = (count: number, env: Record<string, string>, host: HostName = 'native') =>
  Promise.all(Array.from({ length: count }, () => GatewayProcess.start(host, { ...PATIENT, ...env })))

const openAi = () => ({
  OPENAI_API_KEY: 'sk-test',
  OPENAI_BASE_URL: upstream.baseUrl,
  ENABLE_RATE_LIMITING: 'false',
})

const health = async ({ url }: GatewayProcess) => json(await fetch(`${url}/api/health`))

/** Until every gateway has seen all of them. */
const acquainted = async (gateways: readonly GatewayProcess[]): Promise<void> => {
  for (const { url } of gateways)
    await expect
      .poll(async () => await (await fetch(`${url}/metrics`)).text(), { timeout: 30_000 })
      .toContain(`parley_gateways ${gateways.length}\n`)
}

describe.each(Object.entries(ACCESS))('gateways that share a Redis %s', (_, access) => {
  // What gateways of earlier tests have left would hold their share until it runs out.
  beforeEach(() => server.do('FLUSHALL'))

  it('let exactly 100 of 2,000 requests at once to four of them through', async () => {
    const gateways = await start(4, { ...access(), RATE_LIMIT_ANONYMOUS: '100/1m', ENABLE_CACHING: 'false' })
    try {
      const ask = async (index: number) => {
        const answer = await post(gateways[index % 4]?.url ?? '', { prompt: 'Hi', model: 'mock/echo' })
        return { status: answer.status, remaining: Number(answer.headers.get('x-ratelimit-remaining')) }
      }
      const answers = await Promise.all(Array.from({ length: 2_000 }, (__, index) => ask(index)))
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(100)
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(1_900)
      expect(answers.every(({ remaining }) => remaining >= 0 && remaining < 100)).toBe(true)
    } finally {
      await Promise.all(gateways.map(gateway => gateway.stop()))
    }
  })

  it('share their cached replies, and open circuits of models', async () => {
    const [one, other] = await start(2, {
      ...access(),
      ...openAi(),
      MAX_RETRIES: '0',
      BREAKER_OPEN_MS: '60000',
    })
    const sharesReplies = async () => {
      const model = upstream.modelThat(says(['Shared']))
      const question = { prompt: 'Which?', model: `openai/${model}` }
      expect(await json(await post(one?.url ?? '', question))).toMatchObject({ cache: 'miss' })
      await expect
        .poll(async () => (await json(await post(other?.url ?? '', question))).cache, { timeout: 20_000 })
        .toBe('hit')
      expect(await json(await post(other?.url ?? '', question))).toMatchObject({ content: 'Shared' })
      expect(upstream.callsFor(model).length).toBeLessThanOrEqual(2)
    }
    const sharesCircuits = async () => {
      const model = upstream.modelThat(refuses(500))
      const question = { prompt: 'Hi', model: `openai/${model}`, cache: 'no-store' }
      for (let tries = 0; tries < 3; tries += 1)
        expect((await post(one?.url ?? '', question)).status).toBe(502)
      await other?.until(
        () => other.log.find(line => line.model === `openai/${model}` && line.circuit === 'open'),
        'the news of the open circuit',
      )
      const answer = await post(other?.url ?? '', question)
      expect(answer.status).toBe(503)
      expect((await json(answer)).error.code).toBe('MODEL_UNAVAILABLE')
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(1)
      expect(upstream.callsFor(model)).toHaveLength(3)
    }
    try {
      await sharesReplies()
      await sharesCircuits()
    } finally {
      await Promise.all([one?.stop(), other?.stop()])
    }
  })
})

describe('gateways that share a Redis', () => {
  beforeEach(() => server.do('FLUSHALL'))

  it('keep to MAX_CONCURRENCY together, and one gets the share of another that has died', async () => {
    const gateways = await start(2, { REDIS_URL: server.url, ...openAi(), MAX_CONCURRENCY: '4' })
    try {
      await acquainted(gateways)
      const model = upstream.modelThat(hangs)
      const leave = new AbortController()
      const asked = Array.from({ length: 8 }, (_, index) =>
        post(
          gateways[index % 2]?.url ?? '',
          { prompt: `Question ${index}`, model: `openai/${model}`, cache: 'no-store' },
          { signal: leave.signal },
        ).catch(() => undefined),
      )
      await expect.poll(() => upstream.callsFor(model).length, { timeout: 20_000 }).toBe(4)
      // The others are refused after they have waited for 5 s; none of them may have been let in meanwhile.
      await Promise.race(asked)
      expect(upstream.callsFor(model)).toHaveLength(4)
      leave.abort()
      await Promise.all(asked)
      await gateways[1]?.stop()
      await acquainted(gateways.slice(0, 1))
    } finally {
      await Promise.all(gateways.map(gateway => gateway.stop()))
    }
  })

  it('say so in their health and their metrics', async () => {
    const [gateway] = await start(1, { REDIS_URL: server.url })
    try {
      await post(gateway?.url ?? '', { prompt: 'Hi', model: 'mock/echo' })
      expect((await health(gateway as GatewayProcess)).services).toMatchObject({
        redis: { status: 'healthy', latencyMs: expect.any(Number) },
        limits: { status: 'healthy', message: 'in Redis' },
        cache: { status: 'healthy', message: 'in Redis' },
      })
      const metrics = await (await fetch(`${gateway?.url}/metrics`)).text()
      expect(metrics).toContain('parley_redis_operations_total{operation="take",result="ok"} 1\n')
      expect(metrics).toContain('parley_redis_circuit_state 0\n')
      // Two: what has been invalidated, and the answer.
      expect(metrics).toContain('parley_redis_operation_duration_seconds_count{operation="get"} 2\n')
    } finally {
      await gateway?.stop()
    }
  })

  it('do so under Next’s host too', async () => {
    const [native] = await start(1, { REDIS_URL: server.url, RATE_LIMIT_ANONYMOUS: '7/1m' })
    const [next] = await start(1, { REDIS_URL: server.url, RATE_LIMIT_ANONYMOUS: '7/1m' }, 'next')
    try {
      const remaining: (string | null)[] = []
      for (const gateway of [native, next, native, next]) {
        const answer = await post(gateway?.url ?? '', { prompt: 'Hi', model: 'mock/echo' })
        remaining.push(answer.headers.get('x-ratelimit-remaining'))
      }
      expect(remaining).toEqual(['6', '5', '4', '3'])
    } finally {
      await Promise.all([native?.stop(), next?.stop()])
    }
  })
})
