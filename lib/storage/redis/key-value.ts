import { crc32 } from 'node:zlib'
import type { KeyValue } from '../types.ts'
import type { RedisClient } from './client.ts'

const SUM = 8

/** Covers the key too, so that another key's value is not taken for this one's. */
const sumOf = (key: string, value: string): string => crc32(value, crc32(key)).toString(16).padStart(SUM, '0')

/**
 * In a Redis that several gateways share. Damaged or foreign values are deleted and not found.
 *
 * Local memory is the fallback rather than a first level: Redis is read first, so that all gateways find the same
 * values, and replacing or deleting one applies to all. This gateway's writes are kept in memory too, for reads while
 * Redis is unavailable. Values deleted meanwhile reappear with Redis, until they expire.
 *
 * @param prefix precedes every key in Redis
 */
export const redisKeyValue = (redis: RedisClient, memory: KeyValue, prefix: string): KeyValue => ({
  async get(key) {
    const stored = await redis.get(prefix + key).catch(() => null)
    if (stored === null) return await memory.get(key)
    if (stored === undefined) return undefined
    const value = stored.slice(SUM)
    if (stored.startsWith(sumOf(key, value))) return value
    await redis.delete(prefix + key).catch(() => {})
    return undefined
  },
  async set(key, value, ttlMs) {
    await memory.set(key, value, ttlMs)
    await redis.set(prefix + key, sumOf(key, value) + value, ttlMs).catch(() => {})
  },
  async delete(key) {
    await memory.delete(key)
    await redis.delete(prefix + key).catch(() => {})
  },
})
