import type { BudgetUse, GuardrailFinding, LimitState, ToolUse } from '../request-context.ts'

/** What usage can be grouped by. */
export const DIMENSIONS = ['model', 'provider', 'key', 'owner', 'day', 'week', 'month'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export type UsageQuery = Readonly<{
  /** Clock times in milliseconds; whole hours in UTC. */
  from: number
  to: number
  by: readonly Dimension[]
  /** The only owner whose usage counts; all of them when absent. */
  owner?: string | undefined
}>

export type Percentiles = Readonly<{ p50?: number; p95?: number; p99?: number }>

/** What one group of requests used. Costs are whole nanodollars. */
export type UsageRow = Readonly<{
  /** The values of the dimensions by which it is grouped. */
  of: Readonly<Partial<Record<Dimension | 'keyName', string>>>
  requests: number
  attempts: number
  /** Attempts whose price is unknown: their cost is not in `costNano`. */
  unpriced: number
  errors: number
  cacheHits: number
  tokens: Readonly<Record<'input' | 'cachedInput' | 'cacheWrite' | 'output' | 'reasoning', number>>
  costNano: bigint
  savedNano: bigint
  latencyMs: Percentiles
  firstTokenMs: Percentiles
}>

export type UsageReport = Readonly<{ from: number; to: number; rows: readonly UsageRow[]; total: UsageRow }>

/** What a request's row keeps as JSON. */
export type RequestDetail = Readonly<{
  skipped?: readonly Readonly<{ target: string; reason: string }>[]
  limit?: LimitState | undefined
  tokenLimit?: LimitState
  budget?: BudgetUse
  waits?: Readonly<Record<string, number>>
  trace?: object
  hedge?: string
  tools?: readonly ToolUse[]
  guardrails?: readonly GuardrailFinding[]
  finishReason?: string
  upstreamMs: number
}>
