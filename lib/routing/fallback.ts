import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError, isProvidersFault, toGatewayError } from '../errors.ts'
import type { Call, Reply, Target } from '../llm/types.ts'

/** The failures after which another target may answer. */
export type FallbackSwitches = Readonly<{
  error: boolean
  open: boolean
  timeout: boolean
  contextLength: boolean
  contentPolicy: boolean
  rateLimit: boolean
}>

export type Fallbacks = Readonly<{
  /** The context window of a target; absent where unknown. */
  contextTokensOf: (target: Target) => number | undefined
  /** All but content policy when undefined. */
  on: FallbackSwitches | undefined
  clock: Clock
}>

const DEFAULT_SWITCHES: FallbackSwitches = {
  error: true,
  open: true,
  timeout: true,
  contextLength: true,
  contentPolicy: false,
  rateLimit: true,
}

/** The switch for a failure; undefined where no other target could succeed. */
const switchOf = (error: GatewayError): keyof FallbackSwitches | undefined => {
  if (error.code === 'MODEL_UNAVAILABLE') return 'open'
  if (error.code === 'TIMEOUT') return 'timeout'
  if (error.code === 'PROVIDER_RATE_LIMIT') return 'rateLimit'
  if (error.code === 'CONTEXT_LENGTH') return 'contextLength'
  if (error.code === 'CONTENT_BLOCKED') return 'contentPolicy'
  return isProvidersFault(error) ? 'error' : undefined
}

/** The targets worth trying after this failure of the plan's first one. */
const remainingAfter = (error: GatewayError, [failed, ...rest]: readonly Target[], deps: Fallbacks) => {
  const reason = switchOf(error)
  if (!failed || !reason || !(deps.on ?? DEFAULT_SWITCHES)[reason]) return []
  if (reason !== 'contextLength') return rest
  const tooShort = deps.contextTokensOf(failed) ?? Number.POSITIVE_INFINITY
  return rest.filter(target => (deps.contextTokensOf(target) ?? 0) > tooShort)
}

/** A target with fallbacks may use half of the remaining time. */
const deadlineOf = ({ deadlineAt }: Call, plan: readonly Target[], now: number): number =>
  plan.length > 1 ? now + (deadlineAt - now) / 2 : deadlineAt

/** The failure to report: that of the requested model, unless it was not even called. */
const errorToReport = (first: GatewayError | undefined, error: GatewayError): GatewayError =>
  first && first.code !== 'MODEL_UNAVAILABLE' ? first : error

const skipped = ({ journal }: Call, target: Target | undefined, reason: string): void => {
  if (!target) return
  journal.skipped ??= []
  journal.skipped.push({ target: target.name, reason })
}

const AS_FALLBACK = { isFallback: true } as const

/** Tries the targets of the plan one after the other, until one answers. */
export const fallback = (deps: Fallbacks): Policy<Call, Reply> =>
  async function fallback(call, next) {
    let plan = call.fallback ? call.plan : call.plan.slice(0, 1)
    let failure: GatewayError | undefined
    while (plan.length > 0 && call.attempts.take()) {
      const made = call.attempts.made.length
      try {
        const deadlineAt = deadlineOf(call, plan, deps.clock.now())
        const reply = await next({ ...call, plan, deadlineAt, ...(failure && AS_FALLBACK) })
        return plan[0] === call.plan[0] ? reply : { ...reply, head: { ...reply.head, fallback: true } }
      } catch (thrown) {
        const error = toGatewayError(thrown)
        failure = errorToReport(failure, error)
        if (call.attempts.made.length === made) skipped(call, plan[0], error.code)
        call.attempts.release()
        plan = call.signal.aborted ? [] : remainingAfter(error, plan, deps)
      }
    }
    throw failure ?? new GatewayError('MODEL_UNAVAILABLE')
  }
