import type { GatewayError } from '../errors.ts'
import { type Claim, type ItemError, isV1Request, type Outcome } from './types.ts'

type AgainAs = Extract<Outcome, { state: 'again' }>['countsAs']

/** Failed runs of an item, after which it fails. */
const MOST_FAILURES = 3
/** How long after its first start an item is still retried. */
const LONGEST_MS = 1_800_000
/** An item that crashes its workers must not run for ever. */
const MOST_LOST_RUNS = 25
const SHORTEST_WAIT_MS = 1_000
const BACKOFF_BASE_MS = 2_000
/** Most doublings of the pause before the next start of an item whose model is unknown: it ends at a minute. */
const MOST_DOUBLINGS = 5

/**
 * Codes that mean no target was available, or that other calls hold the rest of a budget: the run did not fail, it did
 * not start.
 */
const WAITS: ReadonlySet<string> = new Set(['PROVIDER_RATE_LIMIT', 'MODEL_UNAVAILABLE', 'RATE_LIMITED'])

export type RetryContext = Readonly<{
  /** Whether any provider was called. */
  hasAsked: boolean
  /** Whether another process may run the item, which may know other models. */
  hasOthers: boolean
  now: number
  /** From 0 up to but not including 1. */
  random: () => number
}>

const faultOf = ({ code, message, retryable }: GatewayError): ItemError => ({ code, message, retryable })

/** Exponential, with full jitter, and never at once. */
const backoffMs = (doublings: number, random: () => number): number =>
  SHORTEST_WAIT_MS + random() * BACKOFF_BASE_MS * 2 ** doublings

/** Whether a model is unknown in this process, but was known to the one that accepted the item. */
const isUnknownHere = ({ code, unknownModel }: GatewayError, { request }: Claim): boolean =>
  code === 'INVALID_INPUT' && unknownModel && !(isV1Request(request) && request.isModelUnknown)

const countsAs = ({ code }: GatewayError, hasAsked: boolean): AgainAs => {
  // A limit of the item's key has no room at the moment.
  if (code === 'RATE_LIMITED' && !hasAsked) return 'nothing'
  if (!WAITS.has(code)) return 'failure'
  return hasAsked ? 'attempt' : 'nothing'
}

/**
 * Decides what happens to an item whose run failed. Transient failures are tried three times, with growing pauses.
 * Waiting for a busy provider is no failure; but half an hour after its first start an item fails whatever the cause.
 * An item for which no target was called has not started, and waits as long as necessary; one whose model is unknown
 * here waits for that half hour, where another process may know it.
 */
export const retryDecision = (
  error: GatewayError,
  claim: Claim,
  { now, random, hasAsked, hasOthers }: RetryContext,
): Outcome => {
  const fault = faultOf(error)
  if (error.code === 'SHUTTING_DOWN') return { state: 'again', notBefore: now, countsAs: 'attempt', fault }
  const isUnknown = hasOthers && isUnknownHere(error, claim)
  if (!error.retryable && !isUnknown) return { state: 'failed', fault }
  // The first start of one whose model is unknown stays, so that it waits for half an hour at most.
  const as = isUnknown ? 'attempt' : countsAs(error, hasAsked)
  if (as === 'failure' && claim.failures + 1 >= MOST_FAILURES) return { state: 'failed', fault }
  const asked = (error.retryAfterSeconds ?? 0) * 1000
  const doublings = isUnknown ? Math.min(claim.attempt, MOST_DOUBLINGS) : claim.failures
  const notBefore = Math.round(now + Math.max(asked, backoffMs(doublings, random)))
  const hasBegun = as !== 'nothing' || claim.startedAt < claim.claimedAt
  if (hasBegun && notBefore - claim.startedAt > LONGEST_MS) return { state: 'failed', fault }
  return { state: 'again', notBefore, countsAs: as, fault, ...(isUnknown && { isItemsOwn: true }) }
}

/** Whether what makes an item wait concerns all items of its job. */
export const holdsUpJob = (outcome: Outcome): boolean =>
  outcome.state === 'again' && outcome.countsAs !== 'failure' && !outcome.isItemsOwn

/** Whether an item was interrupted so often that it does not run again. */
export const isPoisonItem = ({ lostRuns }: Claim): boolean => lostRuns >= MOST_LOST_RUNS
