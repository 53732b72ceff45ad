import { crc32 } from 'node:zlib'
import type { KeyValue } from '../types.ts'
import type { RedisClient } from './client.ts'

const SUM = 8

/** Covers the key too, so that another key's value is not taken for this one's. */
const sumOf = (key: string, value: string): string => crc32(value, crc32(key)).toString(16).padStart(SUM, '0')

/**
 * In a Redis that several gateways share. What has been damaged there, or written by somebody else, is deleted
 * and not found.
 *
 * The own memory stands behind it rather than in front: Redis is asked first, so that all gateways find the same,
 * and what one replaces or deletes is gone for all. What this gateway writes is kept in memory too, and is found
 * there while Redis cannot be asked. What is deleted meanwhile comes back with Redis, until its time is over.
 *
 * @param prefix stands before every key in Redis
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
