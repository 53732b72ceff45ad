import { Redis } from '@upstash/redis'
import type { RedisClient } from './client.ts'
import { isReply } from './fault.ts'

export type UpstashOptions = Readonly<{
  url: string
  token: string
  /** When a request is aborted, so that none outlives its caller's timeout by much. */
  requestMs: number
}>

const connect = ({ url, token, requestMs }: UpstashOptions): Redis =>
  new Redis({
    url,
    token,
    // `retry: false` would try twice.
    retry: { retries: 0 },
    signal: () => AbortSignal.timeout(requestMs),
    automaticDeserialization: false,
    responseEncoding: false,
    readYourWrites: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
  })

/**
 * Upstash Redis over its REST protocol: for environments without persistent connections. Each command is one request.
 */
export const upstashRedis = (options: UpstashOptions): RedisClient => {
  const redis = connect(options)
  return {
    get: async key => (await redis.get<string>(key)) ?? undefined,
    set: async (key, value, ttlMs) => void (await redis.set(key, value, { px: Math.ceil(ttlMs) })),
    delete: async key => void (await redis.del(key)),
    async run({ source, sha1 }, keys, args) {
      try {
        return await redis.evalsha(sha1, [...keys], [...args])
      } catch (error) {
        if (!isReply(error, 'NOSCRIPT')) throw error
        return await redis.eval(source, [...keys], [...args])
      }
    },
    opened: () => Promise.resolve(),
    close: () => {},
  }
}
