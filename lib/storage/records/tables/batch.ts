import type { ColumnType } from 'kysely'
import type { Integer, OptionalInteger } from './columns.ts'

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
