import type { Integer, OptionalInteger } from './columns.ts'

/** API keys, without their secrets. */
export type ApiKeysTable = {
  id: string
  name: string
  owner: string | null
  /** `member` or `admin`. */
  role: string
  /** JSON lists of texts; null where nothing is restricted. */
  route_scopes: string | null
  model_scopes: string | null
  requests_per_minute: OptionalInteger
  tokens_per_minute: OptionalInteger
  concurrency: OptionalInteger
  /** Whole nanodollars (1e-9 of a US dollar). */
  day_nano: OptionalInteger
  month_nano: OptionalInteger
  /** The id of the key that made it, or `admin`. */
  made_by: string
  prefix: string
  created_at: Integer
  expires_at: OptionalInteger
  revoked_at: OptionalInteger
  last_used_at: OptionalInteger
}

/** The secrets of API keys; several of one key while it is being rotated. */
export type ApiKeySecretsTable = {
  /** HMAC-SHA-256 of the secret, in hexadecimal. */
  digest: string
  key_id: string
  prefix: string
  created_at: Integer
  valid_until: OptionalInteger
}

/** Sessions of admins that were signed out before they expired. */
export type EndedSessionsTable = { id: string; expires_at: Integer }
