import { type Clock, sleep } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { type GatewayError, isProvidersFault, toGatewayError } from '../errors.ts'
import type { Call, Reply } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import { type Backoff, fullJitter } from './backoff.ts'
import { lazyMapByProvider } from './lazy-map.ts'
import { RetryBudget } from './retry-budget.ts'

export type Retries = Readonly<{
  /** Further attempts at one target. */
  most: number
  backoff: Backoff
  /** An upstream that wants to be left alone for longer is not waited for. */
  longestRetryAfterMs: number
  clock: Clock
  random: () => number
}>

/**
 * Whether asking the same target again may help: not where it refuses for good, such as our key, and not where it
 * was silent for as long as we could wait.
 */
const mayPass = (error: GatewayError): boolean =>
  isProvidersFault(error) &&
  error.retryable &&
  (error.waitedFor === undefined || error.waitedFor === 'connection')

const waitBefore = (retry: number, error: GatewayError, call: Call, retries: Retries): number | undefined => {
  const { backoff, longestRetryAfterMs, random } = retries
  const jitterMs = fullJitter(backoff, retry, random)
  if (error.code !== 'PROVIDER_RATE_LIMIT' && error.retryAfterSeconds === undefined) return jitterMs
  // Another target can answer at once, where this one wants to be left alone.
  if (call.plan.length > 1) return undefined
  const retryAfterMs = (error.retryAfterSeconds ?? 0) * 1000
  return retryAfterMs > longestRetryAfterMs ? undefined : retryAfterMs + jitterMs
}

/** One budget for each provider. */
export const retryBudgets = () => lazyMapByProvider(() => new RetryBudget())

/**
 * Asks a target that failed in passing again: only before any content has come, only while the call's deadline
 * and the provider's retry budget allow it, and never so often that a target further down the plan goes without.
 */
export const retry = (retries: Retries, budgetOf = retryBudgets()): Policy<Call, Reply> => {
  return async function retry(call, next) {
    const { clock, most } = retries
    const { attempts, plan } = call
    const behind = plan.length - 1
    const budget = budgetOf(plan[0]?.provider ?? '')
    for (let tried = 0; ; tried += 1) {
      try {
        const reply = await next(call)
        budget.earn()
        return reply
      } catch (thrown) {
        const error = toGatewayError(thrown)
        if (!mayPass(error) || call.signal.aborted || tried >= most || attempts.remaining <= behind)
          throw error
        const waitMs = waitBefore(tried, error, call, retries)
        if (waitMs === undefined || clock.now() + waitMs >= call.deadlineAt || !budget.spend()) throw error
        attempts.take(behind)
        await sleep(clock, waitMs, call.signal)
        waited(call.journal, 'retry', waitMs)
      }
    }
  }
}
