import { Redis } from 'ioredis'
import type { Clock } from '../../clock.ts'
import type { RedisClient } from './client.ts'
import { isReply } from './fault.ts'

export type SocketOptions = Readonly<{ url: string; clock: Clock }>

const LONGEST_RECONNECT_MS = 1_000
const CONNECT_MS = 2_000
/** A connection with pending replies that has been silent for this long is closed: its peer may be gone. */
const SILENCE_MS = 5_000
const READONLY_RECONNECT_MS = 10_000

/** After a failover the old primary may keep our connection as a replica: connecting again finds the new one. */
const reconnectWhenReadOnly = (clock: Clock): ((error: Error) => boolean) => {
  let last = Number.NEGATIVE_INFINITY
  return error => {
    if (!isReply(error, 'READONLY') || clock.now() - last < READONLY_RECONNECT_MS) return false
    last = clock.now()
    return true
  }
}

const connect = ({ url, clock }: SocketOptions): Redis =>
  new Redis(url, {
    connectionName: 'parley',
    // Commands that cannot be sent now fail now, and sent ones are not repeated: none may run twice or late.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: tries => Math.min(LONGEST_RECONNECT_MS, 50 * 2 ** Math.min(tries, 10)),
    reconnectOnError: reconnectWhenReadOnly(clock),
  })

/** Redis or Valkey over its own protocol, one connection, all commands pipelined. Reconnects by itself. */
export const redisOverSocket = (options: SocketOptions): RedisClient => {
  const redis = connect(options)
  const { promise: opened, resolve } = Promise.withResolvers<void>()
  redis.once('ready', resolve)
  // Each command reports its own failure; without a listener this event would end the process.
  redis.on('error', () => resolve())
  return {
    get: async key => (await redis.get(key)) ?? undefined,
    set: async (key, value, ttlMs) => void (await redis.set(key, value, 'PX', Math.ceil(ttlMs))),
    delete: async key => void (await redis.del(key)),
    async run({ source, sha1 }, keys, args) {
      try {
        return await redis.evalsha(sha1, keys.length, ...keys, ...args)
      } catch (error) {
        if (!isReply(error, 'NOSCRIPT')) throw error
        return await redis.eval(source, keys.length, ...keys, ...args)
      }
    },
    opened: () => opened,
    close: () => redis.disconnect(),
  }
}
