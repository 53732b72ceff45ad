import type { Handler, Policy } from '../compose.ts'
import { isProvidersFault, toGatewayError } from '../errors.ts'
import { tap } from '../llm/tap.ts'
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
  stats: TargetStats
}>

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

/** The targets of a call's model or alias, best first. Throws as `plan` does. */
export const planned = (call: Call, { plan, imageChain, aliases, stats }: Routes): readonly Target[] => {
  const alias = aliases.get(call.model)
  const planFor = (name: string) => plan(name, call.passthrough === undefined)
  if (!alias) return imagePlan(call, imageChain) ?? planFor(call.model)
  const targets = planOf(alias, call, planFor, stats)
  if (alias.strategy === 'weighted' && targets[0]) call.journal.arm = targets[0].name
  return targets
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
