import { crc32 } from 'node:zlib'
import type { KeyValue } from '../types.ts'
import { type RedisClient, script } from './client.ts'

const SUM = 8

const SET_IF_ABSENT = script(
  'set-if-absent',
  `local present = redis.call('GET', KEYS[1])
if present then return present end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`,
)

/** Covers the key too, so that another key's value is not taken for this one's. */
const sumOf = (key: string, value: string): string => crc32(value, crc32(key)).toString(16).padStart(SUM, '0')

/** Absent where the text is damaged or another key's. */
const valueIn = (key: string, stored: string): string | undefined => {
  const value = stored.slice(SUM)
  return stored.startsWith(sumOf(key, value)) ? value : undefined
}

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
    const value = valueIn(key, stored)
    if (value === undefined) await redis.delete(prefix + key).catch(() => {})
    return value
  },
  async set(key, value, ttlMs) {
    await memory.set(key, value, ttlMs)
    await redis.set(prefix + key, sumOf(key, value) + value, ttlMs).catch(() => {})
  },
  async setIfAbsent(key, value, ttlMs) {
    const args = [sumOf(key, value) + value, Math.ceil(ttlMs)]
    const stored = await redis.run(SET_IF_ABSENT, [prefix + key], args).catch(() => null)
    if (typeof stored !== 'string') return await memory.setIfAbsent(key, value, ttlMs)
    const present = valueIn(key, stored)
    if (present === undefined) await this.set(key, value, ttlMs)
    else await memory.set(key, present, ttlMs)
    return present ?? value
  },
  async delete(key) {
    await memory.delete(key)
    await redis.delete(prefix + key).catch(() => {})
  },
})
