import type { ColumnType } from 'kysely'
import type { Integer, OptionalInteger } from './columns.ts'

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
  /** How often what is spent was corrected by the ledger. */
  corrections: ColumnType<number, number | undefined, number>
  /** When it was reported that most of it is spent. */
  noticed_at: OptionalInteger
  /** The limit of which that was reported, in whole nanodollars. */
  noticed_limit: OptionalInteger
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
  prefix: OptionalText
  prefix_tokens: OptionalInteger
}

export type LedgerRequestsTable = LedgerCallTable & {
  /** `request`, `batch-item` or `refresh`. */
  kind: string
  cache: OptionalText
  attempts: Integer
  status: OptionalInteger
  saved_nano: OptionalInteger
  question: OptionalText
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
