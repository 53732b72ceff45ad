import type { Clock } from '../clock.ts'
import type { Handler, Policy } from '../compose.ts'
import type { Call, Reply, Target, Usage } from '../llm/types.ts'
import { SlidingQuantile } from '../sliding-quantile.ts'
import { lazyMap } from './per-target.ts'
import { firstOf, RacedAttempt, replyOf, within } from './race.ts'

/** The 95th percentile of the last 100 times to first content of one kind of call. */
const P95 = { share: 0.95, most: 100, least: 20 } as const

type Kind = Readonly<{ target: Target; stream: boolean }>

/** Times to first content by target: whole answers and streams separately, since only a stream begins early. */
class FirstContentTimes {
  readonly #timesOf = lazyMap<Kind, SlidingQuantile>(
    ({ target, stream }) => `${target.provider}\n${target.model}\n${stream}`,
    () => new SlidingQuantile(P95),
  )

  record(target: Target, { stream }: Call, milliseconds: number): void {
    this.#timesOf({ target, stream }).add(milliseconds)
  }

  /** The 95th percentile in milliseconds; absent until there are 20 samples. */
  p95Ms(target: Target, { stream }: Call): number | undefined {
    return this.#timesOf({ target, stream }).value
  }
}

export type Hedges = Readonly<{
  /** The share of all calls, above 0 up to 1, that may get a second attempt. */
  share: number
  /** The estimated usage and cost of an attempt that is aborted before its first content. */
  usedBy: (call: Call, target: Target) => Usage
  clock: Clock
}>

/** How many second attempts the budget can accumulate. */
const MOST_SAVED = 10

/** The budget of second attempts: each call adds its share of one. */
class HedgeBudget {
  readonly #share: number
  #saved = 0

  constructor(share: number) {
    this.#share = share
  }

  get isEnough(): boolean {
    return this.#saved >= 1
  }

  earn(): void {
    this.#saved = Math.min(MOST_SAVED, this.#saved + this.#share)
  }

  spend(): void {
    this.#saved -= 1
  }
}

/** The second attempt goes to the next target of the plan, or to the same one where there is none. */
const planOfSecond = ({ plan }: Call): readonly Target[] => (plan.length > 1 ? plan.slice(1) : plan)

type HedgeDeps = Readonly<{ hedges: Hedges; budget: HedgeBudget; times: FirstContentTimes }>

/** Records the cost of the losing attempt, and counts it as a slow one where it was the first. */
const recordLoser = (call: Call, reply: Reply, isSecond: boolean, { hedges, times }: HedgeDeps): void => {
  const loser = call.attempts.made.find(attempt => attempt !== reply.attempt && attempt.endedAt === undefined)
  // Otherwise slow answers would be missing from the samples, and the percentile would shrink with every second
  // attempt.
  if (loser && isSecond) times.record(loser.target, call, hedges.clock.now() - loser.startedAt)
  if (loser) loser.usage ??= hedges.usedBy(call, loser.target)
  call.journal.hedge = { result: isSecond ? 'won' : 'lost', ...(loser?.usage && { usage: loser.usage }) }
}

const hedged = async (
  call: Call,
  next: Handler<Call, Reply>,
  afterMs: number,
  deps: HedgeDeps,
): Promise<Reply> => {
  const { hedges, budget } = deps
  const first = new RacedAttempt(call, next)
  const early = await within(first, afterMs, hedges.clock)
  if (early) return replyOf(early)
  if (!budget.isEnough || call.signal.aborted || !call.attempts.takeHedge(call.plan.length - 1))
    return replyOf(await first.outcome)

  budget.spend()
  const plan = planOfSecond(call)
  const second = new RacedAttempt({ ...call, plan }, next)
  const won = await firstOf([first, second], (leg, reply) => recordLoser(call, reply, leg === second, deps))
  if (won) {
    const isAnother = won.leg === second && plan !== call.plan
    return isAnother ? { ...won.reply, head: { ...won.reply.head, fallback: true } } : won.reply
  }
  call.journal.hedge = { result: 'failed' }
  return replyOf(await first.outcome)
}

/**
 * Starts a second attempt when the first one takes longer to begin than 95 of 100 of that target's answers did. The
 * first with content answers, the other one is aborted; where both fail, the first one's error is thrown. Once for each
 * call, for at most `share` of all calls, and never beyond a call's attempt limit.
 */
export const hedge = (hedges: Hedges): Policy<Call, Reply> => {
  const budget = new HedgeBudget(hedges.share)
  const times = new FirstContentTimes()

  return async function hedge(call, next) {
    const target = call.plan[0]
    // A second image would be paid for; what an aborted one costs is unknown.
    if (!target || call.passthrough) return await next(call)
    if (!call.isFallback) budget.earn()
    const afterMs = budget.isEnough && !call.attempts.hedged ? times.p95Ms(target, call) : undefined
    const reply =
      afterMs === undefined ? await next(call) : await hedged(call, next, afterMs, { hedges, budget, times })
    const { attempt } = reply
    if (attempt?.firstContentAt !== undefined)
      times.record(attempt.target, call, attempt.firstContentAt - attempt.startedAt)
    return reply
  }
}
