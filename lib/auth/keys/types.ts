import type {
  KeyBudget,
  KeyIdentity,
  KeyLimits,
  KeyRestrictions,
  KeyScopes,
  Role,
} from '../../request-context.ts'

/** A key as it is stored; its secrets are apart. Times are clock times in milliseconds. */
export type KeyRecord = KeyIdentity &
  Readonly<{
    /** The beginning of its newest secret. */
    prefix: string
    /** Another key's id, or `ADMIN_ID` for the admin API and the command line. */
    madeBy: string
    createdAt: number
    revokedAt?: number | undefined
  }>

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

/** The stored keys. Rejects with STORE_UNAVAILABLE where the database fails. */
export interface KeyRecords {
  add(key: KeyRecord, secret: KeySecret): Promise<void>
  /** The key of a secret, with the restrictions of the keys that made it. */
  findByDigest(digest: string): Promise<FoundKey | undefined>
  /** The same by its id. */
  findEffective(id: string): Promise<KeyRecord | undefined>
  /** A key as it is stored. */
  find(id: string): Promise<KeyRecord | undefined>
  /** Newest first. @param group all keys when absent */
  list(options: Readonly<{ limit: number; cursor?: string | undefined; group?: KeyGroup }>): Promise<KeyPage>
  /** Writes the members of a key that are named. */
  change(key: KeyRecord, members: readonly (keyof KeyChange)[]): Promise<void>
  revoke(id: string, now: number): Promise<void>
  /** Adds a secret; the others end at a clock time, or earlier where that is set already. */
  rotate(id: string, secret: KeySecret, othersUntil: number): Promise<void>
  /** Whether there is any key, revoked ones included. */
  any(): Promise<boolean>
}
