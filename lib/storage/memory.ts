import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { KeyValue } from './types.ts'

const BYTES_PER_UNIT = 2

/**
 * In this process's memory, of which it uses at most `maxBytes`: beyond them the least recently used entries are
 * dropped. Not for state that several gateways share.
 */
export const memoryKeyValue = (maxBytes: number, clock: Clock): KeyValue => {
  const entries = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (value, key) => (key.length + value.length) * BYTES_PER_UNIT,
    perf: clock,
    ttlResolution: 0,
  })
  return {
    get: async key => entries.get(key),
    set: async (key, value, ttlMs) => void entries.set(key, value, { ttl: ttlMs }),
    async setIfAbsent(key, value, ttlMs) {
      const present = entries.get(key)
      if (present === undefined) entries.set(key, value, { ttl: ttlMs })
      return present ?? value
    },
    delete: async key => void entries.delete(key),
    holds: () => ({ entries: entries.size, bytes: entries.calculatedSize }),
  }
}
