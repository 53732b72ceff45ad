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
  /** When the first of the keys that made it ends, and it with them. */
  makersEnd?: Readonly<{ revokedAt?: number | undefined; expiresAt?: number | undefined }> | undefined
}>

const isUsable = ({ revokedAt, expiresAt }: NonNullable<KeyFacts['makersEnd']>, now: number): boolean =>
  revokedAt === undefined && (expiresAt === undefined || expiresAt > now)

/** Keys that could be used and have not been for 30 days. */
export const idleKeys = (keys: readonly KeyFacts[], now: number): readonly IdleKey[] =>
  keys.flatMap(key => {
    const { id, name, owner, createdAt, lastUsedAt, makersEnd = {} } = key
    if (!isUsable(key, now) || !isUsable(makersEnd, now)) return []
    if ((lastUsedAt ?? createdAt) > now - IDLE_AFTER_MS) return []
    return [{ kind: 'idle-key', keyId: id, name, owner, createdAt, lastUsedAt, savedNano: 0 }]
  })
