import { DAY_MS } from '../../clock.ts'
import type { IdleKey } from './types.ts'

const IDLE_AFTER_MS = 30 * DAY_MS

/** What must be known of a key. Times are clock times in milliseconds. */
export type KeyFacts = Readonly<{
  id: string
  name: string
  owner?: string | undefined
  createdAt: number
  lastUsedAt?: number | undefined
  revokedAt?: number | undefined
  expiresAt?: number | undefined
}>

/** Keys that could be used and have not been for 30 days. */
export const idleKeys = (keys: readonly KeyFacts[], now: number): readonly IdleKey[] =>
  keys.flatMap(({ id, name, owner, createdAt, lastUsedAt, revokedAt, expiresAt }) => {
    const isUsable = revokedAt === undefined && (expiresAt === undefined || expiresAt > now)
    if (!isUsable || (lastUsedAt ?? createdAt) > now - IDLE_AFTER_MS) return []
    return [{ kind: 'idle-key', keyId: id, name, owner, createdAt, lastUsedAt, savedNano: 0 }]
  })
