import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { sharedSlots } from '#lib/rate-limit/shared-slots.ts'
import { type KeySlots, localSlots } from '#lib/rate-limit/slots.ts'
import type { RedisClient } from '#lib/storage/redis/client.ts'
import { redisOverSocket } from '#lib/storage/redis/over-socket.ts'
import { upstashRedis } from '#lib/storage/redis/upstash.ts'
import { RedisServer } from '../support/redis.ts'
import { UpstashBridge } from '../support/upstash-bridge.ts'

const GATEWAYS = 3
const WITHIN_MS = 5_000

const until = async (isSo: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + WITHIN_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('It has not become so in time.')
    await sleep(20)
  }
}

let server: RedisServer
let bridge: UpstashBridge
const closing: (() => void)[] = []

beforeAll(async () => {
  server = await RedisServer.start()
  bridge = await UpstashBridge.start(server.url)
})
afterAll(async () => {
  for (const close of closing) close()
  await bridge?.stop()
  await server?.kill()
})

const overSocket = async (): Promise<RedisClient> => {
  const redis = redisOverSocket({ url: server.url, clock: systemClock })
  closing.push(() => redis.close())
  await redis.opened()
  return redis
}

const overRest = async (): Promise<RedisClient> =>
  upstashRedis({ url: bridge.url, token: bridge.token, requestMs: 30_000 })

/** Three gateways on one Redis, which can be away for all of them. */
const gatewaysOn = async (client: () => Promise<RedisClient>) => {
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
      clock: systemClock,
    })
  }
  const gateways = await Promise.all(Array.from({ length: GATEWAYS }, one))
  /** Five calls at each gateway at once; the slots that they got. */
  const enterAll = async (most: number) => {
    const entering = gateways.flatMap(slots => Array.from({ length: 5 }, () => slots.enter('key', most)))
    return (await Promise.all(entering)).filter(leave => leave !== undefined)
  }
  return { link, gateways, enterAll }
}

describe.each([
  ['a socket', overSocket],
  ['REST', overRest],
])('the slots of a key that three gateways share over %s', (_, client) => {
  it('are as many as its limit, and free again once they are left', async () => {
    const { enterAll } = await gatewaysOn(client)
    for (let round = 0; round < 3; round += 1) {
      const slots = await enterAll(4)
      expect(slots).toHaveLength(4)
      for (const leave of slots) leave()
      await until(async () => {
        const again = await enterAll(4)
        for (const leave of again) leave()
        return again.length === 4
      })
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
    await until(async () => (await second?.enter('key', 1)) !== undefined)
  })
})
