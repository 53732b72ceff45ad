import type { Run, RunItem, Variant } from '../runs/types.ts'
import type { GraderType } from '../types.ts'
import type { Interval } from './statistics.ts'

/** How one grader graded a variant. Rows without a score are not in `score`. */
export type GraderReport = Readonly<{
  name: string
  type: GraderType
  score?: Interval | undefined
  passRate?: Interval | undefined
}>

/** How one variant did. A row whose answer failed has the score 0. */
export type VariantReport = Readonly<{
  variant: Variant
  /** Rows that have ended. */
  rows: number
  failures: number
  score?: Interval | undefined
  passRate?: Interval | undefined
  graders: readonly GraderReport[]
  /** The cost of the answers, whole picodollars; those of unknown price are in `unpriced` instead. */
  costPicoUsd: number
  gradingCostPicoUsd: number
  unpriced: number
  latencyMs: Readonly<{ p50?: number | undefined; p95?: number | undefined }>
  /** Rows in which it alone has the best score, shares the best one, or has a worse one: of those ended by all. */
  wins: number
  ties: number
  losses: number
  /** Whether its score reaches the threshold; absent where there is none, or no row has ended. */
  meetsThreshold?: boolean
}>

export type Report = Readonly<{
  run: Run
  variants: readonly VariantReport[]
  /** Whether all variants reach the threshold in a run that has ended; absent where none is required. */
  passed?: boolean
  items: readonly RunItem[]
}>
