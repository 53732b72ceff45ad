import { afterAll, beforeAll } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import type { RedisClient } from '#lib/storage/redis/client.ts'
import { redisOverSocket } from '#lib/storage/redis/over-socket.ts'
import { upstashRedis } from '#lib/storage/redis/upstash.ts'
import { RedisServer } from './redis.ts'
import { UpstashBridge } from './upstash-bridge.ts'

/** A Redis for the tests of a file, and its clients of both kinds, which are closed at the end. */
export const newRedis = () => {
  let server: RedisServer
  let bridge: UpstashBridge
  const clients: RedisClient[] = []
  beforeAll(async () => {
    server = await RedisServer.start()
    bridge = await UpstashBridge.start(server.url)
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await bridge?.stop()
    await server?.kill()
  })
  return {
    get server() {
      return server
    },
    get bridge() {
      return bridge
    },
    overSocket: async (): Promise<RedisClient> => {
      const client = redisOverSocket({ url: server.url, clock: systemClock })
      clients.push(client)
      await client.opened()
      return client
    },
    overRest: async (): Promise<RedisClient> =>
      upstashRedis({ url: bridge.url, token: bridge.token, requestMs: 30_000 }),
  }
}
