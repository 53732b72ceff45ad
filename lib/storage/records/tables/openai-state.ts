import type { ColumnType } from 'kysely'
import type { Integer, OptionalInteger } from './columns.ts'

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
  /** The lease of its validation: `fence` and `lease_until` as an item has them. */
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
