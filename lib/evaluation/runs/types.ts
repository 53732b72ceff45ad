import type { JobCounts, JobState } from '../../batch/types.ts'
import type { ErrorCode } from '../../errors.ts'
import type { GraderSpec, Grading } from '../types.ts'

/** One of the things that a run compares: a model, with how it is asked. */
export type Variant = Readonly<{
  /** Unique within the run. */
  name: string
  model: string
  /** A system message before the input. */
  system?: string | undefined
  /** The text that is sent, with `{{input}}` and `{{metadata.name}}`; the input alone when absent. */
  prompt?: string | undefined
  parameters: Readonly<{
    temperature?: number | undefined
    topP?: number | undefined
    seed?: number | undefined
    maxTokens: number
  }>
  /** `no-store` measures the latency and the cost of a new answer. */
  cache: 'default' | 'refresh' | 'no-store'
}>

/** What a run does. It does not change. */
export type Plan = Readonly<{
  variants: readonly Variant[]
  graders: readonly GraderSpec[]
  /** The mean score that every variant must reach; absent where none is required. */
  threshold?: number | undefined
}>

export type NewRun = Readonly<{
  id: string
  owner: string
  name: string
  dataset: Readonly<{ id: string; name: string; rows: number }>
  jobId: string
  plan: Plan
  /** Clock time, milliseconds. */
  createdAt: number
}>

/** A run as its owner sees it. An item is one row for one variant. */
export type Run = NewRun &
  Readonly<{
    state: JobState
    counts: JobCounts
    /** The cost of answers and grades so far, US dollars; items with an unknown price are in `unpriced` instead. */
    costUsd: number
    unpriced: number
    startedAt?: number
    endedAt?: number
  }>

/** An answer of a variant to a row. `costPicoUsd` is absent where the price is unknown. */
export type RunAnswer = Readonly<{
  text: string
  finishReason: string
  truncated: boolean
  provider: string
  model: string
  /** The name that the provider gives the model. */
  providerModel: string
  inputTokens: number
  outputTokens: number
  cache: 'miss' | 'hit' | 'stale' | 'bypass'
  costPicoUsd?: number | undefined
  latencyMs: number
}>

/** Its grades, and what these cost. */
export type RunGrading = Grading & Readonly<{ costPicoUsd?: number | undefined }>

/** One item of a run, in the order of rows and then of variants. */
export type RunItem = Readonly<{
  row: number
  variant: number
  rowId: string
  state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'
  answer?: RunAnswer
  grading?: RunGrading
  error?: Readonly<{ code: ErrorCode; message: string }>
}>
