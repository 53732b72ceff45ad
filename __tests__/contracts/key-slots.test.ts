import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Clock, systemClock } from '#lib/clock.ts'
import { sharedSlots } from '#lib/rate-limit/shared-slots.ts'
import { type KeySlots, localSlots } from '#lib/rate-limit/slots.ts'
import type { RedisClient } from '#lib/storage/redis/client.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { newRedis } from '../support/redis-clients.ts'

const GATEWAYS = 3
const WITHIN = { timeout: 5_000 }

const redis = newRedis()

/** Three gateways on one Redis, which can be away for all of them. */
const gatewaysOn = async (client: () => Promise<RedisClient>, clock: Clock = systemClock) => {
  const link = { isAway: false }
  const prefix = `${randomUUID()}:`
  const one = async (): Promise<KeySlots> => {
    const redis = await client()
    return sharedSlots({
      redis: {
        run: (...command) =>
          link.isAway ? Promise.reject(new Error('not connected')) : redis.run(...command),
      },
      local: localSlots(),
      shareOf: most => Math.max(1, Math.floor(most / GATEWAYS)),
      prefix,
      clock,
    })
  }
  const gateways = await Promise.all(Array.from({ length: GATEWAYS }, one))
  /** Five calls at each gateway at once; the slots that they got. */
  const enterAll = async (most: number) => {
    const entering = gateways.flatMap(slots => Array.from({ length: 5 }, () => slots.enter('key', most)))
    return (await Promise.all(entering)).filter(leave => leave !== undefined)
  }
  return { link, gateways, enterAll, key: `${prefix}key` }
}

describe.each([
  ['a socket', redis.overSocket],
  ['REST', redis.overRest],
])('the slots of a key that three gateways share over %s', (_, client) => {
  it('are as many as its limit, and free again once they are left', async () => {
    const { enterAll } = await gatewaysOn(client)
    for (let round = 0; round < 3; round += 1) {
      const slots = await enterAll(4)
      expect(slots).toHaveLength(4)
      for (const leave of slots) leave()
      const again = async () => {
        const free = await enterAll(4)
        for (const leave of free) leave()
        return free.length
      }
      await expect.poll(again, WITHIN).toBe(4)
    }
  })

  it.each([
    [1, 3],
    [3, 3],
    [6, 6],
    [7, 6],
  ])('of %d are shared out while Redis is away: %d, at least one each', async (most, granted) => {
    const { link, enterAll } = await gatewaysOn(client)
    link.isAway = true
    expect(await enterAll(most)).toHaveLength(granted)
  })

  it('count those of before while Redis is away', async () => {
    const { link, gateways } = await gatewaysOn(client)
    const [first] = gateways
    expect(await first?.enter('key', 3)).toBeDefined()
    link.isAway = true
    expect(await first?.enter('key', 3)).toBeUndefined()
  })

  it('are free as soon as Redis is back where their calls ended meanwhile: here at once, elsewhere in seconds', async () => {
    const { link, gateways } = await gatewaysOn(client)
    const [first, second] = gateways
    const leave = await first?.enter('key', 1)
    link.isAway = true
    leave?.()
    link.isAway = false
    const again = await first?.enter('key', 1)
    expect(again).toBeDefined()
    link.isAway = true
    again?.()
    link.isAway = false
    await expect.poll(() => second?.enter('key', 1), WITHIN).toBeDefined()
  })

  it.each([
    ['before it was away for so long that it has forgotten them', false],
    ['while it was away', true],
  ])('are counted again where Redis is back, of calls that have begun %s', async (_, isAway) => {
    const clock = new FakeClock()
    const { link, gateways, key } = await gatewaysOn(client, clock)
    const [first, second] = gateways
    link.isAway = isAway
    const leave = await first?.enter('key', 1)
    expect(leave).toBeDefined()
    await (await client()).delete(key)
    link.isAway = false
    await clock.advance(10_000)
    const entered = async () => {
      const free = await second?.enter('key', 1)
      free?.()
      return free !== undefined
    }
    await expect.poll(entered, WITHIN).toBe(false)
    leave?.()
    await expect.poll(entered, WITHIN).toBe(true)
  })
})
