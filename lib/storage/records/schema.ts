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
}

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
  ledger_attempts: LedgerAttemptsTable
  ledger_requests: LedgerRequestsTable
  ledger_rollups: LedgerRollupsTable
  ledger_groups: LedgerGroupsTable
}
