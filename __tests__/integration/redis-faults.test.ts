import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { RedisServer } from '../support/redis.ts'
import { UpstashBridge } from '../support/upstash-bridge.ts'

const PASSWORD = 'pass/word-of-redis'
const FREE = { RATE_LIMIT_ANONYMOUS: '100000/1m' }

/** Real time: the fault is a Redis that comes and goes every second. */
const FLAP_MS = 1_000

const TRANSPORTS = ['socket', 'REST'] as const
type Transport = (typeof TRANSPORTS)[number]

/** A client that keeps asking. */
type Asking = Readonly<{
  /** Once so many more answers have come. */
  more: (answers: number) => Promise<void>
  /** Itself, once its first answers have come. */
  underWay: () => Promise<Asking>
  stop: () => Promise<number[]>
}>

/** A Redis with a gateway in front of it, and a client that keeps asking. */
class Scene {
  readonly server: RedisServer
  readonly gateway: GatewayProcess
  readonly #bridge: UpstashBridge

  private constructor(server: RedisServer, bridge: UpstashBridge, gateway: GatewayProcess) {
    this.server = server
    this.#bridge = bridge
    this.gateway = gateway
  }

  static async set(
    transport: Transport,
    env: Record<string, string> = FREE,
    { absent = false } = {},
  ): Promise<Scene> {
    const server = await RedisServer.absent({ password: PASSWORD })
    if (!absent) await server.up()
    const bridge = await UpstashBridge.start(server.url)
    const access: Record<string, string> =
      transport === 'socket'
        ? { REDIS_URL: server.url }
        : { UPSTASH_REDIS_REST_URL: bridge.url, UPSTASH_REDIS_REST_TOKEN: bridge.token }
    return new Scene(server, bridge, await GatewayProcess.start('native', { ...access, ...env }))
  }

  async end(): Promise<void> {
    await this.gateway.stop()
    await this.#bridge.stop()
    await this.server.kill()
  }

  /** What health says of Redis. */
  async redis(): Promise<{ status: string; message?: string }> {
    return (await json(await fetch(`${this.gateway.url}/api/health`))).services.redis
  }

  /** Asks as JSON and as a stream, again and again, until told to stop; every status, and every broken stream. */
  asking(): Asking {
    let going = true
    let count = 0
    const statuses: number[] = []
    const ask = async (stream: boolean): Promise<void> => {
      const prompt = `Question ${count}`
      count += 1
      const answer = await post(this.gateway.url, { prompt, model: 'mock/echo', stream })
      const said = stream ? textOf(await events(answer)) : (await json(answer)).content
      statuses.push(said === prompt ? answer.status : 0)
    }
    const loop = async (stream: boolean): Promise<void> => {
      while (going) await Promise.all([ask(stream), sleep(40)])
    }
    const loops = Promise.all([loop(false), loop(true)])
    const more = async (answers: number): Promise<void> => {
      const before = statuses.length
      await expect.poll(() => statuses.length, { timeout: 30_000 }).toBeGreaterThanOrEqual(before + answers)
    }
    const asking: Asking = {
      more,
      underWay: async () => {
        await more(10)
        return asking
      },
      stop: async () => {
        going = false
        await loops
        return statuses
      },
    }
    return asking
  }

  async untilRedisIs(status: 'healthy' | 'degraded'): Promise<void> {
    await expect.poll(async () => (await this.redis()).status, { timeout: 60_000, interval: 50 }).toBe(status)
  }

  /** How often it has said that Redis failed or came back. */
  get changes(): number {
    return this.gateway.log.filter(({ component, circuit }) => component === 'redis' && circuit).length
  }
}

const ready = async ({ gateway }: Scene) => (await fetch(`${gateway.url}/api/health/ready`)).status
const isAnswered = (status: number): boolean => status === 200

/** Runs a test in front of a Redis of its own, so that those that mostly wait can run side by side. */
const inScene = async (setting: Parameters<typeof Scene.set>, test: (scene: Scene) => Promise<void>) => {
  const scene = await Scene.set(...setting)
  try {
    await test(scene)
  } finally {
    await scene.end()
  }
}

describe.concurrent.each(TRANSPORTS)('Redis fails over a %s', transport => {
  it('F15: absent at boot: the gateway starts, is ready and limits by itself; Redis joins when it comes', () =>
    inScene([transport, { RATE_LIMIT_ANONYMOUS: '3/1m' }, { absent: true }], async scene => {
      expect(await ready(scene)).toBe(200)
      const statuses: number[] = []
      for (let tries = 0; tries < 4; tries += 1)
        statuses.push((await post(scene.gateway.url, { prompt: 'Hi', model: 'mock/echo' })).status)
      expect(statuses).toEqual([200, 200, 200, 429])
      expect(await scene.redis()).toMatchObject({ status: 'degraded', message: expect.any(String) })
      expect(await ready(scene)).toBe(200)
      await scene.server.up()
      await scene.untilRedisIs('healthy')
      expect(await ready(scene)).toBe(200)
    }))

  it.each<[string, (server: RedisServer) => unknown, (server: RedisServer) => unknown]>([
    [
      'F16: killed and restarted under load: no client sees it',
      server => server.kill(),
      server => server.up(),
    ],
    [
      'F17: silent under load: no client sees it, and it is used again when it answers',
      server => server.pause(),
      server => server.goOn(),
    ],
  ])('%s', (_, lose, bringBack) =>
    inScene([transport], async scene => {
      const asking = await scene.asking().underWay()
      await lose(scene.server)
      await scene.untilRedisIs('degraded')
      await asking.more(20)
      await bringBack(scene.server)
      await scene.untilRedisIs('healthy')
      const statuses = await asking.stop()
      expect(statuses.length).toBeGreaterThan(20)
      expect(statuses.every(isAnswered)).toBe(true)
    }),
  )

  it('F18: flapping: no client sees it, limits hold, and its cooldowns grow longer and longer', () =>
    inScene([transport, { RATE_LIMIT_ANONYMOUS: '40/1m' }], async scene => {
      const asking = scene.asking()
      const startedAt = performance.now()
      for (let flaps = 0; flaps < 8; flaps += 1) {
        await scene.server.kill()
        await sleep(FLAP_MS)
        await scene.server.up()
        await sleep(FLAP_MS)
      }
      const statuses = await asking.stop()
      const seconds = (performance.now() - startedAt) / 1_000
      const admitted = statuses.filter(isAnswered).length
      expect(statuses.every(status => status === 200 || status === 429 || status === 0)).toBe(true)
      expect(admitted).toBeGreaterThan(0)
      expect(admitted).toBeLessThanOrEqual(40 * 2)
      expect(scene.changes).toBeLessThanOrEqual(1 + seconds / 5)
    }))
})

describe.concurrent('Redis does not do what it is asked', () => {
  it.each<[string, (server: RedisServer) => Promise<unknown>, (server: RedisServer) => Promise<unknown>]>([
    [
      'out of memory',
      server => server.do('CONFIG', 'SET', 'maxmemory', '1'),
      server => server.do('CONFIG', 'SET', 'maxmemory', '0'),
    ],
    [
      'a read-only replica whose primary is gone',
      server => server.do('REPLICAOF', '127.0.0.1', '1'),
      server => server.do('REPLICAOF', 'NO', 'ONE'),
    ],
    [
      'refusing our password',
      async server => {
        await server.do('CONFIG', 'SET', 'requirepass', 'another')
        await server.do('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      },
      server => server.do('CONFIG', 'SET', 'requirepass', PASSWORD),
    ],
  ])('F19: %s: no client sees it, health shows it, and it passes', (_, break_, mend) =>
    inScene(['socket'], async scene => {
      const asking = scene.asking()
      await break_(scene.server)
      await scene.untilRedisIs('degraded')
      await asking.more(5)
      await mend(scene.server)
      await scene.untilRedisIs('healthy')
      const statuses = await asking.stop()
      expect(statuses.length).toBeGreaterThan(5)
      expect(statuses.every(isAnswered)).toBe(true)
    }),
  )
})

describe('Redis loses or garbles what it holds', () => {
  let scene: Scene
  beforeAll(async () => {
    scene = await Scene.set('socket')
  })
  afterAll(() => scene?.end())

  it('F19: scripts forgotten, values of another type, garbage: each is mended by itself', async () => {
    const question = { prompt: 'Once', model: 'mock/echo' }
    const cacheOf = async () => (await json(await post(scene.gateway.url, question))).cache
    expect(await cacheOf()).toBe('miss')
    await expect.poll(cacheOf, { timeout: 20_000 }).toBe('hit')
    await scene.server.do('SCRIPT', 'FLUSH')
    expect(await cacheOf()).toBe('hit')

    const keys = (await scene.server.do('KEYS', 'parley:*')) as string[]
    for (const key of keys.filter(name => name.startsWith('parley:cache:')))
      await scene.server.do('SET', key, '00000000{"text":"poison"}')
    for (const key of keys.filter(name => name.startsWith('parley:limit:')))
      await scene.server.do('SET', key, 'poison')
    expect(await cacheOf()).toBe('miss')
    await expect.poll(cacheOf, { timeout: 20_000 }).toBe('hit')

    for (const key of keys.filter(name => name.startsWith('parley:cache:'))) {
      await scene.server.do('DEL', key)
      await scene.server.do('LPUSH', key, 'poison')
    }
    expect(await cacheOf()).toBe('miss')
    await expect.poll(cacheOf, { timeout: 20_000 }).toBe('hit')
  })

  it('F20: FLUSHALL: nothing fails, answers are asked for anew', async () => {
    const asking = scene.asking()
    for (let times = 0; times < 10; times += 1) {
      await asking.more(3)
      await scene.server.do('FLUSHALL')
    }
    expect((await asking.stop()).every(isAnswered)).toBe(true)
    expect(scene.changes).toBe(0)
  })

  it('F14: a thousand clients who leave: no client is given another’s answer afterwards', async () => {
    const ask = (index: number, signal?: AbortSignal) =>
      post(scene.gateway.url, { prompt: `Tag ${index}`, model: 'mock/echo' }, { ...(signal && { signal }) })
    for (let round = 0; round < 10; round += 1) {
      const leaving = Array.from({ length: 100 }, async (_, index) => {
        const client = new AbortController()
        const asked = ask(index, client.signal).catch(() => undefined)
        await sleep(index / 10)
        client.abort()
        await asked
      })
      await Promise.all(leaving)
    }
    for (let again = 0; again < 2; again += 1) {
      const answers = await Promise.all(
        Array.from({ length: 100 }, async (_, index) => json(await ask(index))),
      )
      expect(answers.map(({ content }) => content)).toEqual(answers.map((_, index) => `Tag ${index}`))
    }
    await scene.untilRedisIs('healthy')
  })
})

describe('Redis’ password', () => {
  it('is shown nowhere, neither while Redis works nor when it fails', () =>
    inScene(['socket'], async scene => {
      const asking = await scene.asking().underWay()
      await scene.server.kill()
      await scene.untilRedisIs('degraded')
      await scene.gateway.until(() => scene.changes > 0, 'the line about it')
      await asking.stop()
      const shown = await Promise.all(
        ['/api/health', '/metrics'].map(async path => (await fetch(scene.gateway.url + path)).text()),
      )
      const everything = scene.gateway.everything + shown.join()
      expect(everything).not.toContain(PASSWORD)
      expect(everything).not.toContain(encodeURIComponent(PASSWORD))
    }))
})
