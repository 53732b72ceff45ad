import type { Integer } from './columns.ts'

/** How much an owner has stored under keys. */
export type KvOwnersTable = {
  owner: string
  entries: Integer
  bytes: Integer
  /** When its values end; null for those that stay. */
  expires_at: Integer | null
}

/** Values that callers store under keys of their own. */
export type KvEntriesTable = {
  owner: string
  key: string
  /** Bytes of its value in UTF-8. */
  bytes: Integer
  /** JSON as it was sent. */
  value: string
}

/** Requests with an `Idempotency-Key`. */
export type IdempotencyKeysTable = {
  owner: string
  method: string
  path: string
  key: string
  /** SHA-256 of the body, in hex. */
  fingerprint: string
  /** The id of the run that may store a result. */
  claim: string
  /** `running` or `done`. */
  state: string
  lease_until: Integer
  expires_at: Integer
  /** Bytes of the stored body. */
  size: Integer
  /** Null where no result is stored, as the following ones. */
  status: number | null
  /** JSON of an object of texts. */
  headers: string | null
  /** The encoding of the body: `utf8` or `base64`. */
  encoding: string | null
  body: string | null
}
