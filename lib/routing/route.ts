import type { Clock } from '../clock.ts'
import type { Handler, Policy } from '../compose.ts'
import { GatewayError, isProvidersFault, toGatewayError } from '../errors.ts'
import { tap } from '../llm/events.ts'
import type { Endpoint } from '../llm/passthrough.ts'
import type { Call, Reply, Target } from '../llm/types.ts'
import { type Alias, ordered } from './alias.ts'
import { imagePlan } from './image-chain.ts'
import type { LatencyEwma, TargetStats } from './target-stats.ts'

export type Routes = Readonly<{
  /** Finds the targets of a model name, best first. Throws GatewayError INVALID_INPUT for an unknown one. */
  plan: (model: string, isChat?: boolean) => readonly Target[]
  /** The available models that make images, best first. */
  imageChain: readonly Target[]
  aliases: ReadonlyMap<string, Alias>
  /** Whether the provider of a target can be called for an endpoint at all. */
  hasEndpoint: (target: Target, endpoint: Endpoint | 'chat') => boolean
  stats: TargetStats
}>

const skipped = ({ journal }: Pick<Call, 'journal'>, target: Target | undefined, reason: string): void => {
  if (!target) return
  journal.skipped ??= []
  journal.skipped.push({ target: target.name, reason })
}

/** The targets of the alias in order, followed by the fallbacks of the first. */
const planOf = (alias: Alias, call: Call, planFor: Routes['plan'], stats: TargetStats): readonly Target[] => {
  const targets = ordered(alias, call, stats).map(({ target }) => target)
  const first = targets[0]
  const chain = first ? planFor(first.name) : []
  const byName = new Map([...targets, ...chain].map(target => [target.name, target]))
  return [...byName.values()]
}

const recordLatency = (latency: LatencyEwma, { attempts }: Call, { attempt: answering }: Reply): void => {
  // The aborted one of two hedged attempts did not fail.
  if (!attempts.hedged)
    for (const attempt of attempts.made) if (attempt !== answering) latency.failed(attempt.target)
  if (answering?.firstContentAt !== undefined)
    latency.record(answering.target, answering.firstContentAt - answering.startedAt)
}

/** Calls by a plan, and records the load and latency of its first target. */
const recordingStats = async (
  call: Call,
  plan: readonly Target[],
  next: Handler<Call, Reply>,
  { busy, latency }: TargetStats,
): Promise<Reply> => {
  const [first] = plan
  const end = first ? busy.begin(first) : () => {}
  try {
    const reply = await next({ ...call, plan })
    recordLatency(latency, call, reply)
    return tap(reply, { onEnd: end })
  } catch (error) {
    end()
    if (isProvidersFault(toGatewayError(error)) && !call.signal.aborted)
      for (const { target } of call.attempts.made) latency.failed(target)
    throw error
  }
}

type IsUsable = (target: Target) => boolean

/** The alias of its usable targets; of all where none is in use, so that the first one's refusal says why. */
const usablePart = (alias: Alias, isUsable: IsUsable): Alias => {
  const targets = alias.targets.filter(({ target }) => isUsable(target))
  const isInUse = targets.some(({ weight }) => alias.strategy !== 'weighted' || weight > 0)
  return isInUse ? { ...alias, targets } : alias
}

/** Records the unusable targets but the first of the plan, which is refused when it is called. */
const recordUnusable = (call: Call, targets: readonly Target[], first: Target, isUsable: IsUsable): void => {
  const names = new Map(targets.map(target => [target.name, target]))
  for (const target of names.values())
    if (target.name !== first.name && !isUsable(target)) skipped(call, target, 'INVALID_INPUT')
}

/**
 * The targets of a call's model or alias, best first, without those that lack its endpoint; a requested model itself
 * stays. Throws as `plan` does.
 */
export const planned = (call: Call, routes: Routes): readonly Target[] => {
  const { plan, imageChain, aliases, hasEndpoint, stats } = routes
  const alias = aliases.get(call.model)
  const planFor = (name: string) => plan(name, call.passthrough === undefined)
  const isUsable: IsUsable = target => hasEndpoint(target, call.passthrough?.endpoint ?? 'chat')
  const targets = alias
    ? planOf(usablePart(alias, isUsable), call, planFor, stats)
    : ((call.passthrough && imagePlan(call, imageChain)) ?? planFor(call.model))
  const [first, ...others] = targets
  if (!first) return targets
  if (alias?.strategy === 'weighted') call.journal.arm = first.name
  recordUnusable(call, [...(alias?.targets ?? []).map(({ target }) => target), ...others], first, isUsable)
  return [first, ...others.filter(isUsable)]
}

/** Chooses the targets, best first. Outcomes are recorded only where aliases use them. */
export const route = (routes: Routes): Policy<Call, Reply> => {
  const { aliases, stats } = routes
  const recorded = aliases.size > 0 ? stats : undefined
  return async function route(call, next) {
    const plan = planned(call, routes)
    call.journal.plan = plan
    return await (recorded ? recordingStats(call, plan, next, recorded) : next({ ...call, plan }))
  }
}

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
