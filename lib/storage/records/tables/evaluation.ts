import type { Integer, OptionalInteger } from './columns.ts'

/** Data sets for evaluations. */
export type EvaluationDatasetsTable = {
  id: string
  owner: string
  name: string
  /** `new` until all of its rows are stored, then `ready`. */
  state: string
  row_count: number
  bytes: Integer
  created_at: Integer
  /** Null for those that stay until they are deleted. */
  expires_at: OptionalInteger
}

export type EvaluationRowsTable = {
  dataset_id: string
  /** From 0. */
  place: number
  /** JSON of the row. */
  content: string
}

/** Runs of data sets. Their state is that of their batch job. */
export type EvaluationsTable = {
  id: string
  owner: string
  name: string
  dataset_id: string
  dataset_name: string
  row_count: number
  job_id: string
  /** JSON of variants, graders and threshold. */
  plan: string
  created_at: Integer
}

/** The answers of a run's items, by the indexes of these in their job. */
export type EvaluationAnswersTable = {
  evaluation_id: string
  place: number
  /** JSON of the answer with its cost and latency. */
  answer: string
  /** JSON of its grades; null until it is graded. */
  grading: string | null
}
