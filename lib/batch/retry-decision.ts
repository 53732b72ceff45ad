import type { GatewayError } from '../errors.ts'
import type { Claim, ItemError, Outcome } from './types.ts'

type AgainAs = Extract<Outcome, { state: 'again' }>['countsAs']

/** Runs that failed by themselves: the third one is the last. */
const MOST_FAILURES = 3
/** How long after its first beginning an item is still tried again. */
const LONGEST_MS = 1_800_000
/** An item that kills its runners must not go on for ever. */
const MOST_LOST_RUNS = 25
const SHORTEST_WAIT_MS = 1_000
const BACKOFF_BASE_MS = 2_000

/** When nobody could be asked right now: the run did not fail, it did not begin. */
const WAITS: ReadonlySet<string> = new Set(['PROVIDER_RATE_LIMIT', 'MODEL_UNAVAILABLE'])

export type RetryContext = Readonly<{
  /** Whether any provider was asked. */
  hasAsked: boolean
  now: number
  /** From 0 up to but not including 1. */
  random: () => number
}>

const faultOf = ({ code, message, retryable }: GatewayError): ItemError => ({ code, message, retryable })

/** Exponential, with full jitter, and never at once. */
const backoffMs = (failures: number, random: () => number): number =>
  SHORTEST_WAIT_MS + random() * BACKOFF_BASE_MS * 2 ** failures

const countsAs = ({ code }: GatewayError, hasAsked: boolean): AgainAs => {
  if (!WAITS.has(code)) return 'failure'
  return hasAsked ? 'attempt' : 'nothing'
}

/**
 * What becomes of an item whose run failed. What may pass is tried three times, with growing pauses. Waiting for a
 * busy provider is no failure; but half an hour after its first beginning an item is given up whatever the cause.
 * One that nobody was asked for has not begun, and waits for as long as it takes.
 */
export const retryDecision = (
  error: GatewayError,
  claim: Claim,
  { now, random, hasAsked }: RetryContext,
): Outcome => {
  const fault = faultOf(error)
  if (error.code === 'SHUTTING_DOWN') return { state: 'again', notBefore: now, countsAs: 'attempt', fault }
  if (!error.retryable) return { state: 'failed', fault }
  const as = countsAs(error, hasAsked)
  if (as === 'failure' && claim.failures + 1 >= MOST_FAILURES) return { state: 'failed', fault }
  const asked = (error.retryAfterSeconds ?? 0) * 1000
  const notBefore = Math.round(now + Math.max(asked, backoffMs(claim.failures, random)))
  const hasBegun = as !== 'nothing' || claim.startedAt < claim.claimedAt
  if (hasBegun && notBefore - claim.startedAt > LONGEST_MS) return { state: 'failed', fault }
  return { state: 'again', notBefore, countsAs: as, fault }
}

/** Whether an item was cut off so often that it is not begun once more. */
export const isPoisonItem = ({ lostRuns }: Claim): boolean => lostRuns >= MOST_LOST_RUNS
