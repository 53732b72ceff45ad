import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { Bucket, Counter, Taking } from '#lib/rate-limit/counter.ts'
import { fallingBack } from '#lib/rate-limit/falling-back.ts'
import { sharedWindow } from '#lib/rate-limit/shared-window.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { newRedis } from '../support/redis-clients.ts'

const MINUTE_MS = 60_000
const SHORT_MS = 200

const redis = newRedis()
const overSocket = async (): Promise<Counter> => sharedWindow(await redis.overSocket(), 'test:limit')
const overRest = async (): Promise<Counter> => sharedWindow(await redis.overRest(), 'test:limit')

const COUNTERS: readonly (readonly [string, () => Promise<Counter>])[] = [
  ['in memory', async () => slidingWindow()],
  ['in Redis, over a socket', overSocket],
  ['in Redis, over REST', overRest],
  [
    'in Redis, with memory to fall back to',
    async () => fallingBack({ shared: await overSocket(), local: slidingWindow(), gateways: () => 2 }),
  ],
]

const newBucket = (limit: number, windowMs = MINUTE_MS): Bucket => ({ key: randomUUID(), limit, windowMs })
/** Only the counter in memory takes the time from its caller: for it time can be skipped. */
let skippedMs = 0
const now = () => systemClock.now() + skippedMs
const skip = async (ms: number): Promise<void> => {
  skippedMs += ms
}
const allowedOf = (takings: readonly (readonly Taking[])[]) => takings.filter(([first]) => first?.allowed)

describe.each(COUNTERS)('a counter %s', (kind, create) => {
  const pass = kind === 'in memory' ? skip : (ms: number) => sleep(ms)
  let counter: Counter
  beforeAll(async () => {
    counter = await create()
  })
  const take = (buckets: readonly Bucket[], cost = 1) => counter.take(buckets, cost, now())

  it('allows the limit, tells what is left, and refuses the next', async () => {
    const bucket = newBucket(3)
    for (const remaining of [2, 1, 0])
      expect(await take([bucket])).toEqual([
        { bucket, allowed: true, remaining, resetMs: expect.any(Number), waitMs: 0 },
      ])
    const [refused] = await take([bucket])
    expect(refused).toMatchObject({ bucket, allowed: false, remaining: 0 })
    expect(refused?.waitMs).toBeGreaterThan(0)
    expect(refused?.waitMs).toBeLessThanOrEqual(MINUTE_MS)
    expect(refused?.resetMs).toBeGreaterThanOrEqual(refused?.waitMs ?? 0)
  })

  it('allows exactly the limit of many at once', async () => {
    const bucket = newBucket(20)
    const takings = await Promise.all(Array.from({ length: 200 }, () => take([bucket])))
    expect(allowedOf(takings)).toHaveLength(20)
    expect(takings.flat().every(({ remaining }) => remaining >= 0)).toBe(true)
  })

  it('charges nothing for what it refuses', async () => {
    const bucket = newBucket(5)
    expect(await take([bucket], 6)).toMatchObject([{ allowed: false, remaining: 5 }])
    expect(await take([bucket], 4)).toMatchObject([{ allowed: true, remaining: 1 }])
    expect(await take([bucket], 2)).toMatchObject([{ allowed: false, remaining: 1 }])
    expect(await take([bucket], 1)).toMatchObject([{ allowed: true, remaining: 0 }])
  })

  it.each([10, 1_000])(
    'takes back what is given back, and never more than was taken (limit %i)',
    async limit => {
      const [own, all] = [newBucket(limit), newBucket(limit)]
      await take([own, all], 2)
      await take([own, all], 3)
      expect(await take([own], -4)).toMatchObject([{ allowed: true, remaining: limit - 1 }])
      expect(await take([own], -4)).toMatchObject([{ allowed: true, remaining: limit }])
      expect(await take([own], limit)).toMatchObject([{ allowed: true, remaining: 0 }])
      expect(await take([own], 1)).toMatchObject([{ allowed: false }])
      expect(await take([all], 1)).toMatchObject([{ allowed: true, remaining: limit - 6 }])
    },
  )

  it.each([2, 1_000])(
    'takes back what was taken then, and nothing later in its place (limit %i)',
    async limit => {
      const windowMs = 2_000
      const bucket = newBucket(limit, windowMs)
      await take([bucket])
      const takenAt = now()
      await pass(0.6 * windowMs)
      await take([bucket])
      expect(await counter.take([bucket], -1, now(), takenAt)).toMatchObject([{ remaining: limit - 1 }])
      await pass(0.45 * windowMs)
      expect(await take([bucket], 0)).toMatchObject([{ remaining: limit - 1 }])
      expect(await counter.take([bucket], -1, now(), takenAt)).toMatchObject([{ remaining: limit - 1 }])
    },
  )

  it('takes from several buckets, or from none', async () => {
    const [own, all] = [newBucket(5), newBucket(2)]
    await take([own, all])
    await take([own, all])
    expect(await take([own, all])).toMatchObject([
      { bucket: own, allowed: false, remaining: 3, waitMs: 0 },
      { bucket: all, allowed: false, remaining: 0, waitMs: expect.any(Number) },
    ])
    expect(await take([own])).toMatchObject([{ allowed: true, remaining: 2 }])
  })

  it('keeps buckets apart', async () => {
    await take([newBucket(1)])
    expect(await take([newBucket(1)])).toMatchObject([{ allowed: true }])
  })

  it('answers nothing where there is nothing to take from', async () => {
    expect(await take([])).toEqual([])
  })

  it('allows what has waited for as long as it said', async () => {
    const bucket = newBucket(2, SHORT_MS)
    for (let allowed = 0; allowed < 5; ) {
      const [taking] = await take([bucket])
      if (taking?.allowed) allowed += 1
      else {
        // Node's timers count whole milliseconds, and may fire one early.
        await pass(Math.ceil(taking?.waitMs ?? 0) + 2)
        expect(await take([bucket])).toMatchObject([{ allowed: true }])
        allowed += 1
      }
    }
  })

  it('never allows more in a window than the limit, however fast it is asked', async () => {
    const bucket = newBucket(4, SHORT_MS)
    const startedAt = now()
    const takings: (readonly Taking[])[] = []
    for (; now() - startedAt < 3 * SHORT_MS; await pass(1)) takings.push(await take([bucket]))
    const windows = Math.ceil((now() - startedAt) / SHORT_MS)
    const allowed = allowedOf(takings).length
    expect(allowed).toBeLessThanOrEqual(windows * 4)
    expect(allowed).toBeGreaterThanOrEqual(4)
  })

  it('counts large limits too, with a taking counting for at most a little longer', async () => {
    const bucket = newBucket(1_000)
    expect(await take([bucket], 999)).toMatchObject([{ allowed: true, remaining: 1 }])
    expect(await take([bucket], 2)).toMatchObject([{ allowed: false, remaining: 1 }])
    const [refused] = await take([bucket], 2)
    expect(refused?.waitMs).toBeLessThanOrEqual(MINUTE_MS * (1 + 1 / 240))
  })
})

describe('a counter in Redis', () => {
  it('needs one round trip, however many buckets there are', async () => {
    const counter = await overRest()
    await counter.take([newBucket(5), newBucket(5), newBucket(5)], 1, now())
    const before = redis.bridge.commands.length
    await counter.take([newBucket(5), newBucket(5), newBucket(5)], 1, now())
    expect(redis.bridge.commands.slice(before)).toEqual(['evalsha'])
  })

  it('F19: sends its script again when Redis has forgotten it', async () => {
    const counter = await overSocket()
    const bucket = newBucket(5)
    await counter.take([bucket], 1, now())
    await redis.server.do('SCRIPT', 'FLUSH')
    expect(await counter.take([bucket], 1, now())).toMatchObject([{ allowed: true, remaining: 3 }])
  })

  it('F19: forgets a value that is none of its own', async () => {
    const counter = await overSocket()
    const [text, garbage] = [newBucket(5), newBucket(5)]
    await redis.server.do('SET', `test:limit:${text.key}`, 'garbage')
    await redis.server.do('HSET', `test:limit:${garbage.key}`, 'never', 'many', '99999999999999', 'x')
    expect(await counter.take([text], 1, now())).toMatchObject([{ allowed: true, remaining: 4 }])
    expect(await counter.take([garbage], 1, now())).toMatchObject([{ allowed: true, remaining: 4 }])
  })

  it('F28: counts in Redis’ time, so that gateways whose clocks disagree agree', async () => {
    const [one, other] = [await overSocket(), await overSocket()]
    const bucket = newBucket(2)
    await one.take([bucket], 1, now() - 30_000)
    await other.take([bucket], 1, now() + 3_600_000)
    expect(await one.take([bucket], 1, now() + 120_000)).toMatchObject([{ allowed: false }])
  })

  it('leaves nothing in Redis when the window is over', async () => {
    const counter = await overSocket()
    const bucket = newBucket(5, SHORT_MS)
    await counter.take([bucket], 1, now())
    const ttlMs = Number(await redis.server.do('PTTL', `test:limit:${bucket.key}`))
    expect(ttlMs).toBeGreaterThan(0)
    expect(ttlMs).toBeLessThanOrEqual(SHORT_MS + 1_000)
  })
})
