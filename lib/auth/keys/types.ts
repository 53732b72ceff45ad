import type { Transaction } from 'kysely'
import type { KeyBudget, KeyIdentity, KeyLimits, KeyRestrictions, KeyScopes, Role } from '../../caller.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'

/** A key as it is stored; its secrets are apart. Times are clock times in milliseconds. */
export type KeyRecord = KeyIdentity &
  Readonly<{
    /** The beginning of its newest secret. */
    prefix: string
    /** Another key's id, or `ADMIN_ID` for the admin API and the command line. */
    madeBy: string
    createdAt: number
    revokedAt?: number | undefined
    /** When the keys that made it, one another, end at the earliest: it ends with them. */
    makersEnd?: KeyEnd | undefined
    /** Exact to a minute. */
    lastUsedAt?: number | undefined
  }>

/** When a key ends or has ended; absent where it does not. */
export type KeyEnd = Readonly<{ revokedAt?: number | undefined; expiresAt?: number | undefined }>

/** The latest use of a key. */
export type KeyUse = Readonly<{ id: string; usedAt: number }>

/** What can be chosen when a key is made. */
export type KeySettings = KeyRestrictions &
  Readonly<{ name: string; owner?: string | undefined; role: Role; expiresAt?: number | undefined }>

/** A key's secret, by its digest. */
export type KeySecret = Readonly<{
  digest: string
  prefix: string
  createdAt: number
}>

/** What a secret stands for. */
export type FoundKey = Readonly<{
  key: KeyRecord
  digest: string
  /** When the secret ends: it was replaced by a newer one. */
  validUntil?: number | undefined
}>

export type KeyPage = Readonly<{ entries: readonly KeyRecord[]; cursor?: string }>

/** Whose keys: those of an owner, or made by a key, and that key itself. */
export type KeyGroup = Readonly<{ id: string; owner?: string | undefined }>

/** Members that are absent stay as they are; null takes one away. */
type Merged<Group> = { readonly [Name in keyof Group]?: Group[Name] | null }

/** A change of a key. Groups are merged with what the key has. */
export type KeyChange = Readonly<{
  name?: string | undefined
  owner?: string | null | undefined
  role?: Role | undefined
  scopes?: Merged<KeyScopes> | null | undefined
  limits?: Merged<KeyLimits> | null | undefined
  budget?: Merged<KeyBudget> | null | undefined
  expiresAt?: number | null | undefined
}>

/** A change of a key that is being written. */
export type KeyWrite = Readonly<{
  action: 'key.create' | 'key.change' | 'key.rotate' | 'key.revoke'
  /** Absent for a new key. */
  before?: KeyRecord | undefined
  after: KeyRecord
}>

/** Called in the transaction of a change, which fails where this rejects. */
export type KeyRecorder = (write: KeyWrite, transaction: Transaction<RecordsSchema>) => Promise<void>

/** The stored keys. Rejects with STORE_UNAVAILABLE where the database fails. */
export interface KeyRecords {
  /** @returns the key as it is stored */
  add(key: KeyRecord, secret: KeySecret, record: KeyRecorder): Promise<KeyRecord>
  /** The key of a secret, with the restrictions of the keys that made it. */
  findByDigest(digest: string): Promise<FoundKey | undefined>
  /** The key of an id, with the restrictions of the keys that made it. */
  findEffective(id: string): Promise<KeyRecord | undefined>
  /** A key as it is stored. */
  find(id: string): Promise<KeyRecord | undefined>
  /** Newest first. @param group all keys when absent */
  list(options: Readonly<{ limit: number; cursor?: string | undefined; group?: KeyGroup }>): Promise<KeyPage>
  /** How many keys made it, one another; undefined where that is not known, or they are too many for it to be valid. */
  countMakers(id: string): Promise<number | undefined>
  /** Writes the members of a key that are named, and no others. @returns the key afterwards */
  change(id: string, change: KeyChange, record: KeyRecorder): Promise<KeyRecord>
  /** @returns the key afterwards; nothing is written or recorded where it was revoked before */
  revoke(id: string, now: number, record: KeyRecorder): Promise<KeyRecord>
  /** Adds a secret; the others end at a clock time, or earlier where that is set already. @returns the key afterwards */
  rotate(id: string, secret: KeySecret, othersUntil: number, record: KeyRecorder): Promise<KeyRecord>
  /** Writes the latest uses of keys; a later one that is stored stays. */
  used(uses: readonly KeyUse[]): Promise<void>
  /** Whether there is any key, revoked ones included. */
  any(): Promise<boolean>
}
