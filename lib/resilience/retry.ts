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
  /** The longest Retry-After that is waited for. */
  longestRetryAfterMs: number
  clock: Clock
  random: () => number
}>

/**
 * Whether a retry of the same target may help: not after a permanent refusal, such as of our key, and not after a
 * timeout.
 */
const mayPass = (error: GatewayError): boolean =>
  isProvidersFault(error) &&
  error.retryable &&
  (error.waitedFor === undefined || error.waitedFor === 'connection')

const waitBefore = (retry: number, error: GatewayError, call: Call, retries: Retries): number | undefined => {
  const { backoff, longestRetryAfterMs, random } = retries
  const jitterMs = fullJitter(backoff, retry, random)
  if (error.code !== 'PROVIDER_RATE_LIMIT' && error.retryAfterSeconds === undefined) return jitterMs
  // Another target can answer at once, while this one requests a pause.
  if (call.plan.length > 1) return undefined
  const retryAfterMs = (error.retryAfterSeconds ?? 0) * 1000
  return retryAfterMs > longestRetryAfterMs ? undefined : retryAfterMs + jitterMs
}

/** One budget for each provider. */
export const retryBudgets = () => lazyMapByProvider(() => new RetryBudget())

/**
 * Retries a target after a transient failure: only before any content has arrived, only while the call's deadline and
 * the provider's retry budget allow it, and never so often that a later target of the plan gets no attempt.
 */
export const retry = (retries: Retries, budgetOf = retryBudgets()): Policy<Call, Reply> => {
  return async function retry(call, next) {
    const { clock, most } = retries
    const { attempts, plan } = call
    const later = plan.length - 1
    const budget = budgetOf(plan[0]?.provider ?? '')
    for (let tried = 0; ; tried += 1) {
      try {
        const reply = await next(call)
        budget.earn()
        return reply
      } catch (thrown) {
        const error = toGatewayError(thrown)
        if (!mayPass(error) || call.signal.aborted || tried >= most || attempts.remaining <= later)
          throw error
        const waitMs = waitBefore(tried, error, call, retries)
        if (waitMs === undefined || clock.now() + waitMs >= call.deadlineAt || !budget.spend()) throw error
        attempts.take(later)
        await sleep(clock, waitMs, call.signal)
        waited(call.journal, 'retry', waitMs)
      }
    }
  }
}
