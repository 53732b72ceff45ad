import type { EvaluationInput } from '../types.ts'

/** One row of a data set. */
export type DatasetRow = Readonly<{
  /** Unique within the data set. */
  id: string
  input: EvaluationInput
  reference?: string | undefined
  rubric?: string | undefined
  metadata?: Readonly<Record<string, unknown>> | undefined
}>

export type Dataset = Readonly<{
  id: string
  owner: string
  name: string
  rows: number
  /** Bytes of its rows as they are stored. */
  bytes: number
  /** Clock time, milliseconds. */
  createdAt: number
  /** Clock time after which it is removed; absent where it stays. */
  expiresAt?: number
}>

/** How much one owner may store. */
export type DatasetLimits = Readonly<{ datasets: number; bytes: number }>
