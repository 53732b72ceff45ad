import type { Clock } from '../clock.ts'
import type { Handler, Policy } from '../compose.ts'
import { holdEnd } from '../llm/hold-end.ts'
import type { Call, Reply, Target, Usage } from '../llm/types.ts'
import type { Budgets } from './budgets.ts'
import { clamped } from './clamp.ts'
import type { OutputSizes } from './output-sizes.ts'
import { refusalError, unpricedError } from './refusal.ts'
import type { BudgetsOf, Hold, Limit, Refusal } from './types.ts'
import type { WorstCase, WorstCases } from './worst-case.ts'

/** An attempt that cost more than was reserved for it, or of which no cost is known. */
export type UnexpectedCost = Readonly<{
  target: Target
  reservedNanoUsd: number
  /** Undefined where it is unknown: then the reserved amount was booked. */
  costNanoUsd: number | undefined
  usage: Usage
}>

export type ReserveDeps = Readonly<{
  budgets: Pick<Budgets, 'reserve' | 'settle'>
  budgetsOf: BudgetsOf
  worstCases: Pick<WorstCases, 'of' | 'counted'>
  outputSizes: OutputSizes
  /** The cost of an attempt that began at that time, in whole nanodollars; undefined where unknown. */
  costNanoUsd: (usage: Usage, target: Target, at: number) => number | undefined
  /** The usage of an attempt that failed before its first content; undefined where it costs nothing. */
  usageOfFailed: (error: unknown, call: Call, target: Target) => Usage | undefined
  /** Whether calls whose price is unknown are allowed under a budget. They count as nothing. */
  allowsUnpriced: boolean
  /** Whether an answer may be made shorter, so that the money suffices. */
  mayClamp: boolean
  onUnexpectedCost: (cost: UnexpectedCost) => void
  clock: Clock
}>

/** Shorter answers are of no use. */
const LEAST_TOKENS = 16
/** How long an answer's end waits for a slow database. */
const SETTLE_MS = 1_000

/** Resolves when the work is done, or after a second without it. */
const doneOrLate = (work: Promise<void>, clock: Clock): Promise<void> =>
  new Promise(resolve => {
    const timer = clock.timer(SETTLE_MS, resolve)
    void work.then(() => {
      timer.cancel()
      resolve()
    })
  })

/** A call with the money that is reserved for one attempt at it. */
type Funded = Readonly<{ call: Call; hold: Hold }>

const refused = (refusal: Refusal, nanoUsd: number, { clock }: ReserveDeps): never => {
  throw refusalError(refusal, nanoUsd, clock.now())
}

/** The same call with as long an answer as the rest of the money pays for; undefined where that is too short. */
const funding = async (
  call: Call,
  limits: readonly Limit[],
  { output }: WorstCase,
  leftNanoUsd: number,
  deps: ReserveDeps,
): Promise<Funded | undefined> => {
  const tokens = output ? Math.min(output.tokens, output.tokensFor(leftNanoUsd)) : 0
  if (!deps.mayClamp || !output || tokens < Math.min(LEAST_TOKENS, output.tokens)) return undefined
  const done = await deps.budgets.reserve(limits, output.nanoUsdWith(tokens))
  return 'hold' in done ? { call: clamped(call, tokens), hold: done.hold } : undefined
}

/** Throws GatewayError QUOTA_EXCEEDED or RATE_LIMITED where the money does not suffice. */
const funded = async (
  call: Call,
  target: Target,
  limits: readonly Limit[],
  byBytes: WorstCase,
  deps: ReserveDeps,
): Promise<Funded> => {
  const { budgets, worstCases, mayClamp } = deps
  let worst = byBytes
  let done = await budgets.reserve(limits, worst.nanoUsd)
  if ('refusal' in done) {
    const counted = await worstCases.counted(call, target)
    if (counted && counted.nanoUsd < worst.nanoUsd) {
      worst = counted
      done = await budgets.reserve(limits, worst.nanoUsd)
    }
  }
  if ('hold' in done) {
    const limit = mayClamp && call.maxOutputTokens === undefined ? worst.output?.tokens : undefined
    return { call: limit === undefined ? call : clamped(call, limit), hold: done.hold }
  }
  const { refusal } = done
  return (
    (await funding(call, limits, worst, refusal.leftNanoUsd, deps)) ?? refused(refusal, worst.nanoUsd, deps)
  )
}

/** Books what an attempt has really cost, in full. */
const settled = (
  hold: Hold,
  { usage, at }: Readonly<{ usage: Usage; at: number }>,
  call: Call,
  target: Target,
  deps: ReserveDeps,
): Promise<void> => {
  const cost = deps.costNanoUsd(usage, target, at)
  if (cost === undefined || cost > hold.nanoUsd)
    deps.onUnexpectedCost({ target, reservedNanoUsd: hold.nanoUsd, costNanoUsd: cost, usage })
  if (!call.passthrough) deps.outputSizes.record(call.caller, usage.outputTokens)
  return deps.budgets.settle(hold, cost ?? hold.nanoUsd)
}

const attempt = async (
  { call, hold }: Funded,
  target: Target,
  next: Handler<Call, Reply>,
  deps: ReserveDeps,
): Promise<Reply> => {
  const begunAt = deps.clock.now()
  try {
    const reply = await next(call)
    const at = reply.attempt?.startedAt ?? begunAt
    const booked = reply.usage.then(usage => settled(hold, { usage, at }, call, target, deps))
    return holdEnd(reply, () => doneOrLate(booked, deps.clock))
  } catch (error) {
    const usage = deps.usageOfFailed(error, call, target)
    await deps.budgets.settle(hold, (usage && deps.costNanoUsd(usage, target, begunAt)) ?? 0)
    throw error
  }
}

/**
 * Reserves the most that one attempt may cost, in every budget of its caller, and settles it by the usage of the answer
 * before the last of it is sent. An attempt that fails before its first content, or is never made, costs nothing.
 * Callers without a budget pass. Absent dependencies switch it off.
 */
export const reserve = (deps: ReserveDeps | undefined): Policy<Call, Reply> =>
  function reserve(call, next) {
    const [target] = call.plan
    const limits = deps?.budgetsOf(call.caller) ?? []
    if (!deps || !target || limits.length === 0) return next(call)
    const worst = deps.worstCases.of(call, target)
    if (worst?.nanoUsd === 0 || (!worst && deps.allowsUnpriced)) return next(call)
    if (!worst) return Promise.reject(unpricedError(target.name))
    return funded(call, target, limits, worst, deps).then(money => attempt(money, target, next, deps))
  }
