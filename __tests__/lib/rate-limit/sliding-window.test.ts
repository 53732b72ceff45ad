import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bucket } from '#lib/rate-limit/counter.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const bucket = (limit: number, windowMs = 60_000, key = 'a'): Bucket => ({ key, limit, windowMs })

describe('slidingWindow', () => {
  it('allows the limit, refuses the next, and allows again when the first has left the window', async () => {
    const counter = slidingWindow()
    const take = async (now: number) => (await counter.take([bucket(2)], 1, now))[0]
    expect(await take(0)).toMatchObject({ allowed: true, remaining: 1 })
    expect(await take(10_000)).toMatchObject({ allowed: true, remaining: 0 })
    expect(await take(59_999)).toMatchObject({ allowed: false, remaining: 0, waitMs: 1 })
    expect(await take(60_000)).toMatchObject({ allowed: true, remaining: 0 })
    expect(await take(60_001)).toMatchObject({ allowed: false, waitMs: 9_999 })
  })

  it('charges nothing for what it refuses', async () => {
    const counter = slidingWindow()
    await counter.take([bucket(1)], 1, 0)
    for (let now = 1; now < 60_000; now += 1_000) await counter.take([bucket(1)], 1, now)
    expect((await counter.take([bucket(1)], 1, 60_000))[0]?.allowed).toBe(true)
  })

  it('takes from several buckets all or nothing', async () => {
    const counter = slidingWindow()
    const both = [bucket(5, 60_000, 'one'), bucket(1, 60_000, 'all')]
    await counter.take(both, 1, 0)
    const refused = await counter.take(both, 1, 1)
    expect(refused.map(({ allowed }) => allowed)).toEqual([false, false])
    expect(refused[0]?.remaining).toBe(4)
  })

  it('never allows more than the limit in any window, and never refuses what fits', async () => {
    const steps = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 3 })), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 600 }), steps, async (limit, takings) => {
        const counter = slidingWindow(10)
        const windowMs = 2_400
        const slackMs = limit > 240 ? windowMs / 240 : 0
        const admitted: { at: number; cost: number }[] = []
        const used = (from: number, to: number) =>
          admitted.filter(({ at }) => at > from && at <= to).reduce((sum, { cost }) => sum + cost, 0)
        let now = 1_000_000
        for (const [stepMs, cost] of takings) {
          now += stepMs
          const [taking] = await counter.take([bucket(limit, windowMs)], cost, now)
          if (taking?.allowed) admitted.push({ at: now, cost })
          else expect(used(now - windowMs - slackMs, now) + cost).toBeGreaterThan(limit)
          expect(used(now - windowMs, now)).toBeLessThanOrEqual(limit)
          expect(taking?.remaining).toBeGreaterThanOrEqual(0)
        }
      }),
      { numRuns: 100 },
    )
  })

  it('lets a caller through that waits as long as it says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(400), { minLength: 1, maxLength: 60 }), async steps => {
        const counter = slidingWindow(10)
        let now = 0
        for (const step of steps) {
          now += step
          const [taking] = await counter.take([bucket(3, 1_000)], 1, now)
          if (taking?.allowed) continue
          now += taking?.waitMs ?? 0
          expect((await counter.take([bucket(3, 1_000)], 1, now))[0]?.allowed).toBe(true)
        }
      }),
    )
  })

  it('keeps its memory bounded under a million addresses', async () => {
    const counter = slidingWindow()
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let address = 0; address < 1_000_000; address += 1)
      await counter.take([bucket(5, 60_000, `chat:address-${address}`)], 1, address / 100)
    collectGarbage()
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(128 * 1024 * 1024)
  })
})
