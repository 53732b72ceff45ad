import { type Clock, sleep } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { type GatewayError, isProvidersFault, toGatewayError } from '../errors.ts'
import type { Call, Reply } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import { lazyMapByProvider } from './per-target.ts'

/** How long to wait before a retry. */
type Backoff = Readonly<{ baseMs: number; longestMs: number }>

/**
 * A random time from zero to a bound that doubles with every retry (counted from 0), so that calls that failed together
 * do not retry together. Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (full jitter).
 *
 * @param random from 0 to below 1
 */
const fullJitter = ({ baseMs, longestMs }: Backoff, retry: number, random: () => number): number =>
  random() * Math.min(longestMs, baseMs * 2 ** retry)

const FULL = 10
const EARNED_BY_SUCCESS = 0.1

/**
 * The budget of retries: each costs one, each success adds a tenth. So retries stay near a tenth of the traffic when a
 * whole upstream is failing and they would only add load. Source: gRPC, "Retry Design".
 */
class RetryBudget {
  #left = FULL

  earn(): void {
    this.#left = Math.min(FULL, this.#left + EARNED_BY_SUCCESS)
  }

  /** Spends one retry; false where the budget is exhausted. */
  spend(): boolean {
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}

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
const isTransient = (error: GatewayError): boolean =>
  isProvidersFault(error) &&
  error.retryable &&
  (error.waitedFor === undefined || error.waitedFor === 'connection')

const waitBefore = (retry: number, error: GatewayError, call: Call, retries: Retries): number | undefined => {
  const { backoff, longestRetryAfterMs, random } = retries
  const jitterMs = fullJitter(backoff, retry, random)
  if (error.code !== 'PROVIDER_RATE_LIMIT' && error.retryAfterSeconds === undefined) return jitterMs
  // Another target can answer at once, while this one requests a pause.
  if (call.plan.length > 1) return undefined
  const { retryAfterMs = 0 } = error
  return retryAfterMs > longestRetryAfterMs ? undefined : retryAfterMs + jitterMs
}

/** One budget for each provider. */
export const retryBudgets = () => lazyMapByProvider(() => new RetryBudget())

/**
 * Retries a target after a transient failure: only before any content has arrived, only while the call's deadline and
 * the provider's retry budget allow it, and never so often that a later target of the plan gets no attempt.
 */
export const retry = (retries: Retries, budgetOf: ReturnType<typeof retryBudgets>): Policy<Call, Reply> => {
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
        if (!isTransient(error) || call.signal.aborted || tried >= most || attempts.remaining <= later)
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
