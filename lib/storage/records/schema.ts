import type { ColumnType } from 'kysely'

/** Written as a number or a bigint, read as a number. Larger ones are read as text, by a cast. */
type Integer = ColumnType<number, number | bigint, number | bigint>
type OptionalInteger = ColumnType<number | null, number | bigint | null | undefined, number | bigint | null>

/** Times are clock times in whole milliseconds; texts of JSON say so by their names' meaning below. */
export type BatchJobsTable = {
  id: string
  owner: string
  name: string
  priority: string
  /** A public state, or `submitting` while it is written, or `removed` while it is deleted. */
  state: string
  /** Lower ranks come first. */
  rank: Integer
  created_at: Integer
  scheduled_for: OptionalInteger
  started_at: OptionalInteger
  ended_at: OptionalInteger
  total: Integer
  queued: Integer
  running: Integer
  succeeded: Integer
  failed: Integer
  cancelled: Integer
  /** Whole picodollars (1e-12 of a US dollar). */
  cost_pico: Integer
  unpriced: Integer
  webhook_url: string | null
  /** `none`, `due`, `sent` or `failed`. */
  webhook_state: ColumnType<string, string | undefined, string>
  webhook_attempts: Integer
  webhook_at: OptionalInteger
  /** JSON of a text; null where there is none. */
  instruction: ColumnType<string | null, string | null | undefined, string | null>
  /** JSON of a list of texts; null where there is none. */
  warnings: ColumnType<string | null, string | null | undefined, string | null>
  /** Total milliseconds between an end of the job and its retry. */
  idle_ms: ColumnType<number, number | undefined, number>
  /** Whether its requests are of `/v1`: 1 or 0. */
  is_v1: ColumnType<number, number | undefined, number>
  /** The API key that submitted it; null where it was none. */
  key_id: ColumnType<string | null, string | null | undefined, string | null>
}

export type BatchItemsTable = {
  job_id: string
  /** Its index in the job, from 0. */
  place: Integer
  item_id: string
  state: string
  /** JSON of an ItemRequest. */
  request: string
  /** Whether the job's instruction applies to it: 1 or 0. */
  instructed: ColumnType<number, number | undefined, number>
  file: string | null
  line: OptionalInteger
  attempts: Integer
  failures: Integer
  cut_offs: ColumnType<number, number | undefined, number>
  fence: Integer
  not_before: Integer
  lease_until: OptionalInteger
  started_at: OptionalInteger
  ended_at: OptionalInteger
  /** JSON of an ItemAnswer. */
  answer: string | null
  /** JSON of an ItemFault. */
  fault: string | null
}

export type BatchWorkersTable = { id: string; seen_at: Integer }

/** Answers in the form of OpenAI's Responses, so that later requests can refer to them. */
export type StoredResponsesTable = {
  owner: string
  id: string
  /** The answer that its request continues. */
  previous_id: string | null
  /** The provider that knows it under the same id. */
  provider: string | null
  created_at: Integer
  expires_at: Integer
  /** Characters of its input and its answer. */
  size: Integer
  /** JSON of the items of its request. */
  input: string
  /** JSON of the answer. */
  response: string
}

/** Which answer holds an item. */
export type StoredResponseItemsTable = { owner: string; item_id: string; response_id: string }

/** Files of `/v1/files`. */
export type FilesTable = {
  id: string
  owner: string
  name: string
  purpose: string
  bytes: Integer
  created_at: Integer
  expires_at: OptionalInteger
  /** The batch whose results it holds; null for one on disk. */
  batch_id: ColumnType<string | null, string | null | undefined, string | null>
}

/** Batches of `/v1/batches` and `/v1/messages/batches`. */
export type V1BatchesTable = {
  id: string
  owner: string
  /** The routes that it belongs to: `batches` or `message-batches`. */
  api: string
  /** `validating`, `running`, `ended`, or `invalid`. */
  state: string
  endpoint: string
  /** Null where its requests were in the body. */
  input_file_id: string | null
  /** JSON of an object of texts; null where there is none. */
  metadata: string | null
  /** Milliseconds after which its result files expire. */
  output_ttl_ms: OptionalInteger
  created_at: Integer
  expires_at: Integer
  /** Of its validation: as `fence` and `lease_until` of an item. */
  fence: Integer
  lease_until: Integer
  /** The job that runs its requests; null before there is one. */
  job_id: string | null
  begun_at: OptionalInteger
  cancelled_at: OptionalInteger
  expired_at: OptionalInteger
  ended_at: OptionalInteger
  output_file_id: string | null
  error_file_id: string | null
  /** JSON of a list of faults of its file; null where there is none. */
  errors: string | null
  /** JSON of the tokens of all answers together. */
  usage: string | null
  /** The API key that submitted it; null where it was none. */
  key_id: ColumnType<string | null, string | null | undefined, string | null>
}

/** How much an owner has stored under keys. */
export type KvOwnersTable = { owner: string; entries: Integer; bytes: Integer }

/** Values that callers store under keys of their own. */
export type KvEntriesTable = {
  owner: string
  key: string
  /** Of its value in UTF-8. */
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
  /** Of the body: `utf8` or `base64`. */
  encoding: string | null
  body: string | null
}

/** The audit log. Rows are only added. */
export type AuditLogTable = {
  /** From 1, without gaps. */
  sequence: Integer
  at: Integer
  actor: string
  action: string
  object: string
  before_hash: string | null
  after_hash: string | null
  /** JSON of an object. */
  detail: string | null
  address: string | null
  request_id: string | null
  previous_hash: string
  hash: string
}

/** The number and the hash of the audit log's last row. One row, with the id 1. */
export type AuditHeadTable = { id: number; sequence: Integer; hash: string }

/** Limits of spending, in whole nanodollars; null where there is none. A removed one stays, so that others notice. */
export type BudgetsTable = {
  /** `all`, `owner:X` or `key:ID`. */
  scope: string
  day_nano: OptionalInteger
  month_nano: OptionalInteger
  updated_at: Integer
}

/** What is spent and reserved of a budget, in whole nanodollars. */
export type BudgetCountersTable = {
  scope: string
  /** A UTC day or month: `2026-11-29`, `2026-11`. */
  period: string
  spent: Integer
  reserved: Integer
  /** When it was reported that most of it is spent. */
  noticed_at: OptionalInteger
}

/** Reservations of calls in progress. A settled one is removed. */
export type BudgetHoldsTable = {
  id: string
  /** The process of the call. */
  process: string
  /** `held`, or `expired`: its process did not renew it, and the reservation was taken back. */
  state: string
  expires_at: Integer
  /** The UTC day of the reservation. */
  day: string
  /** JSON of a list of scopes. */
  scopes: string
  nano: Integer
}
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
type OptionalText = string | null

/** What requests and attempts of the ledger have in common. Costs are whole nanodollars; null where unknown. */
type LedgerCallTable = {
  id: string
  request_id: string
  at: Integer
  ended_at: Integer
  owner: string
  caller: string
  key_id: string
  key_name: OptionalText
  route: string
  surface: string
  model_asked: string
  provider: string
  model: string
  arm: OptionalText
  /** `ok`, `error` or `aborted`. */
  outcome: string
  code: OptionalText
  latency_ms: Integer
  first_content_ms: OptionalInteger
  input: Integer
  cached: Integer
  written: Integer
  written_1h: Integer
  output: Integer
  reasoning: Integer
  audio_input: Integer
  audio_output: Integer
  image_input: Integer
  cost_nano: OptionalInteger
  /** 1 or 0. */
  estimated: Integer
}

export type LedgerAttemptsTable = LedgerCallTable & {
  /** The id of its request's row. */
  request: string
  vendor_model: string
  unit: OptionalText
  units: OptionalInteger
  reported_nano: OptionalInteger
  computed_nano: OptionalInteger
  price_version: OptionalText
  tier: OptionalText
}

export type LedgerRequestsTable = LedgerCallTable & {
  /** `request`, `batch-item` or `refresh`. */
  kind: string
  cache: OptionalText
  attempts: Integer
  status: OptionalInteger
  saved_nano: OptionalInteger
  /** JSON of what else is known. */
  detail: string
}

/** Sums of ledger rows; further columns are named in lib/ledger/columns.ts. */
export type LedgerRollupsTable = {
  /** Milliseconds from `start`: an hour or a day. */
  span: Integer
  start: Integer
  owner: string
  key_id: string
  key_name: OptionalText
  provider: string
  model: string
}

/** The groups of ledger rows that were written. */
export type LedgerGroupsTable = { id: string; at: Integer }

/** Everything that must not be lost, in SQLite or Postgres alike. */
export type RecordsSchema = {
  batch_jobs: BatchJobsTable
  batch_items: BatchItemsTable
  batch_workers: BatchWorkersTable
  stored_responses: StoredResponsesTable
  stored_response_items: StoredResponseItemsTable
  files: FilesTable
  v1_batches: V1BatchesTable
  kv_owners: KvOwnersTable
  idempotency_keys: IdempotencyKeysTable
  audit_log: AuditLogTable
  audit_head: AuditHeadTable
  kv_entries: KvEntriesTable
  budgets: BudgetsTable
  budget_counters: BudgetCountersTable
  budget_holds: BudgetHoldsTable
  api_keys: ApiKeysTable
  api_key_secrets: ApiKeySecretsTable
  ended_sessions: EndedSessionsTable
  ledger_attempts: LedgerAttemptsTable
  ledger_requests: LedgerRequestsTable
  ledger_rollups: LedgerRollupsTable
  ledger_groups: LedgerGroupsTable
}
