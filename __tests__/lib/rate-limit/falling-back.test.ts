import { describe, expect, it } from 'vitest'
import type { Bucket, Counter } from '#lib/rate-limit/counter.ts'
import { fallingBack } from '#lib/rate-limit/falling-back.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'

const MINUTE_MS = 60_000
const bucket = (limit: number, windowMs = MINUTE_MS): Bucket => ({ key: 'a', limit, windowMs })

/** Several gateways around one shared counter, which can be taken away and lose what it knew. */
const gateways = (count: number) => {
  let shared: Counter | undefined = slidingWindow()
  const flaky: Counter = {
    async take(...taking) {
      if (!shared) throw new Error('away')
      return await shared.take(...taking)
    },
  }
  const counters = Array.from({ length: count }, () =>
    fallingBack({ shared: flaky, local: slidingWindow(), gateways: () => count }),
  )
  const admitted = async (gateway: number, asked: number, limit: Bucket, now: number): Promise<number> => {
    let allowed = 0
    for (let tries = 0; tries < asked; tries += 1) {
      const takings = await counters[gateway]?.take([limit], 1, now)
      if (takings?.[0]?.allowed) allowed += 1
    }
    return allowed
  }
  const goes = () => {
    shared = undefined
  }
  const comesBackEmpty = () => {
    shared = slidingWindow()
  }
  return { counters, admitted, goes, comesBackEmpty }
}

describe('a counter with memory to fall back to', () => {
  it('grants each gateway its share while what is shared is away', async () => {
    const { admitted, goes } = gateways(4)
    goes()
    const allowed = await Promise.all([0, 1, 2, 3].map(gateway => admitted(gateway, 100, bucket(20), 0)))
    expect(allowed).toEqual([5, 5, 5, 5])
  })

  it('grants at least one', async () => {
    const { admitted, goes } = gateways(4)
    goes()
    expect(await admitted(0, 100, bucket(3), 0)).toBe(1)
  })

  it('shows the limit as it is configured, and never a negative rest', async () => {
    const { counters, goes } = gateways(2)
    goes()
    const limit = bucket(4)
    for (const [allowed, remaining] of [
      [true, 1],
      [true, 0],
      [false, 0],
    ])
      expect(await counters[0]?.take([limit], 1, 0)).toMatchObject([{ bucket: limit, allowed, remaining }])
  })

  it('does not grant the share on top of what was let through before', async () => {
    const { admitted, goes } = gateways(2)
    expect(await admitted(0, 6, bucket(10), 0)).toBe(6)
    goes()
    expect(await admitted(0, 100, bucket(10), 1)).toBe(0)
    expect(await admitted(1, 100, bucket(10), 1)).toBe(5)
  })

  it('F18: a gateway never exceeds the limit, however often what is shared forgets', async () => {
    const { admitted, goes, comesBackEmpty } = gateways(1)
    let allowed = 0
    for (let now = 0; now < MINUTE_MS - 1_000; now += 1_000) {
      goes()
      allowed += await admitted(0, 5, bucket(100), now)
      comesBackEmpty()
      allowed += await admitted(0, 5, bucket(100), now + 500)
    }
    expect(allowed).toBe(100)
  })

  it('is no stricter than what is shared', async () => {
    const { admitted } = gateways(1)
    for (let now = 0; now < 10 * MINUTE_MS; now += MINUTE_MS)
      expect(await admitted(0, 10, bucket(10), now)).toBe(10)
  })
})
