import type { Caller } from '../caller.ts'

/**
 * Whose spending a budget limits: that of all callers, of all keys of an owner, or of one key with those that it made,
 * and that these made.
 */
export type Scope = 'all' | `owner:${string}` | `key:${string}`

/** A limit of spending, in whole nanodollars (1e-9 US dollars) for each UTC day and month; absent where there is none. */
export type Limit = Readonly<{
  scope: Scope
  dayNanoUsd?: number | undefined
  monthNanoUsd?: number | undefined
}>

/** The budgets that a caller spends from; empty where there are none. Never waits. */
export type BudgetsOf = (caller: Caller) => readonly Limit[]

/** The reservation of one attempt. It belongs to the day and the month in which it was made. */
export type Hold = Readonly<{ id: string; day: string; limits: readonly Limit[]; nanoUsd: number }>

/** What is spent and reserved of a scope in a period, in whole nanodollars. */
export type Counter = Readonly<{ scope: Scope; period: string; spent: number; reserved: number }>

/**
 * Why an amount was refused. `spent`: what is spent already leaves too little, whatever becomes of the calls in
 * progress, so that it stays refused until the period ends. `reserved`: calls in progress hold the rest, of which some
 * will come back.
 */
export type Refusal = Readonly<{
  kind: 'spent' | 'reserved'
  scope: Scope
  /** It is the budget of a key that made the caller's. */
  isMakers?: true
  period: string
  limitNanoUsd: number
  spentNanoUsd: number
  /** The most that could be reserved now, over all scopes and periods. */
  leftNanoUsd: number
}>

/** The sum of a scope's costs in a period by the ledger, in whole nanodollars. */
export type LedgerSum = (scope: Scope, period: string) => Promise<number>

/** The sums of all scopes on a day and in its month, read at once. */
export type LedgerSums = (day: string) => Promise<(scope: Scope, period: string) => number>
