import type { Clock } from '../clock.ts'
import type { Handler, Policy } from '../compose.ts'
import { holdEnd } from '../llm/hold-end.ts'
import type { AttemptAccount, Call, Reply, Target, Usage } from '../llm/types.ts'
import { nanoOfPico } from '../money.ts'
import { type Attempt, reserved } from '../request-context.ts'
import type { Budgets } from './budgets.ts'
import { clamped } from './clamp.ts'
import type { OutputSizes } from './output-sizes.ts'
import { withinDay } from './period.ts'
import { refusalError, unpricedError } from './refusal.ts'
import { kindOf } from './scope.ts'
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
  /** Whether calls whose price is unknown are allowed under a budget. They count as what their provider reports, or nothing. */
  allowsUnpriced: boolean
  /** Whether an answer may be made shorter, so that the money suffices. */
  mayClamp: boolean
  onUnexpectedCost: (cost: UnexpectedCost) => void
  clock: Clock
}>

/** What is reserved for a call whose price is unknown: only what its provider reports is booked. */
const NOTHING: WorstCase = { nanoUsd: 0 }
/** Shorter answers are of no use. */
const LEAST_TOKENS = 16
/** The least limit of a call. That of a body of Anthropic's contains its thinking, and Anthropic refuses one that does not. */
const leastTokensOf = ({ raw, parameters }: Call): number =>
  LEAST_TOKENS + (raw?.format === 'anthropic-messages' ? (parameters?.reasoningTokens ?? 0) : 0)
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

/** A call with the money that is reserved for one attempt at it. `isPriced`: its cost could be foreseen. */
type Funded = Readonly<{ call: Call; hold: Hold; isPriced: boolean }>

/** An amount that could not be reserved. */
type RefusedAmount = Readonly<{ refusal: Refusal; nanoUsd: number }>

/** How often an answer is made shorter: another call may take some of what is left meanwhile. */
const MOST_CLAMPS = 2

/**
 * The call with as long an answer as the rest of the money pays for; else the refusal of the shortest one that is of use,
 * since what would pay for that may only be reserved. Undefined where answers may not be made shorter.
 */
const funding = async (
  call: Call,
  limits: readonly Limit[],
  { output }: WorstCase,
  refusal: Refusal,
  { mayClamp, budgets }: ReserveDeps,
): Promise<Funded | RefusedAmount | undefined> => {
  if (!mayClamp || !output) return undefined
  const least = Math.min(leastTokensOf(call), output.tokens)
  let { leftNanoUsd } = refusal
  for (let clamps = 1; ; clamps += 1) {
    const tokens = Math.max(least, Math.min(output.tokens, output.tokensFor(leftNanoUsd)))
    const nanoUsd = output.nanoUsdWith(tokens)
    const done = await budgets.reserve(limits, nanoUsd)
    if ('hold' in done) return { call: clamped(call, tokens), hold: done.hold, isPriced: true }
    if (tokens === least) return { refusal: done.refusal, nanoUsd }
    if (clamps === MOST_CLAMPS) return { refusal: { ...done.refusal, kind: 'reserved' }, nanoUsd }
    leftNanoUsd = done.refusal.leftNanoUsd
  }
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
    const mayCut = mayClamp && worst.nanoUsd > 0 && call.maxOutputTokens === undefined
    const limit = mayCut ? worst.output?.tokens : undefined
    const isPriced = byBytes !== NOTHING
    return { call: limit === undefined ? call : clamped(call, limit), hold: done.hold, isPriced }
  }
  const { refusal } = done
  const shorter = await funding(call, limits, worst, refusal, deps)
  if (shorter && 'hold' in shorter) return shorter
  const amount = shorter ?? { refusal, nanoUsd: worst.nanoUsd }
  throw refusalError(amount.refusal, amount.nanoUsd, deps.clock.now())
}

/**
 * The account of one attempt whose money is reserved. It is settled where the attempt ends, by what the ledger charges
 * for it, however it ends: answered, failed, outpaced, or read on without its client.
 */
class HoldAccount implements AttemptAccount {
  readonly #funded: Funded
  readonly #deps: ReserveDeps
  readonly #settled = Promise.withResolvers<void>()
  #state: 'reserved' | 'begun' | 'ended' = 'reserved'

  constructor(funded: Funded, deps: ReserveDeps) {
    this.#funded = funded
    this.#deps = deps
  }

  begun(attempt: Attempt): void {
    this.#state = 'begun'
    // The ledger charges the period whose budget the reservation belongs to.
    const accountedAt = withinDay(attempt.startedAt, this.#funded.hold.day)
    if (accountedAt !== attempt.startedAt) attempt.accountedAt = accountedAt
  }

  ended({ target, usage, firstContentAt }: Attempt): void {
    this.#state = 'ended'
    const { outputSizes, onUnexpectedCost, budgets } = this.#deps
    const { call, hold, isPriced } = this.#funded
    const { nanoUsd: reservedNanoUsd } = hold
    const costNanoUsd = costOf(usage)
    const isUnexpected = costNanoUsd === undefined ? reservedNanoUsd > 0 : costNanoUsd > reservedNanoUsd
    if (usage && isUnexpected && isPriced) onUnexpectedCost({ target, reservedNanoUsd, costNanoUsd, usage })
    if (usage && firstContentAt !== undefined && !call.passthrough)
      outputSizes.record(call.caller, usage.outputTokens)
    void budgets.settle(hold, costNanoUsd ?? reservedNanoUsd).then(this.#settled.resolve)
  }

  /** Resolves when the attempt is settled, or after a second without it; at once for a client that has gone. */
  readonly settled = (): Promise<void> =>
    this.#funded.call.signal.aborted ? Promise.resolve() : doneOrLate(this.#settled.promise, this.#deps.clock)

  /** To be called when there will be no answer: returns what is reserved, unless the attempt goes on or has ended. */
  async close(): Promise<void> {
    if (this.#state === 'reserved') await this.#deps.budgets.settle(this.#funded.hold, 0)
    else if (this.#state === 'ended') await this.settled()
  }
}

/** Undefined where it is unknown; an attempt of which no usage is known costs nothing. */
const costOf = (usage: Usage | undefined): number | undefined => {
  if (!usage) return 0
  return usage.costPicoUsd === undefined ? undefined : nanoOfPico(usage.costPicoUsd)
}

const recorded = ({ call, hold: { limits, day, nanoUsd } }: Funded): void => {
  if (nanoUsd === 0) return
  const of = [...new Set(limits.map(({ scope }) => kindOf(scope)))]
  reserved(call.journal, { of, day, reservedNanoUsd: nanoUsd })
}

const attempt = async (funded: Funded, next: Handler<Call, Reply>, deps: ReserveDeps): Promise<Reply> => {
  recorded(funded)
  const account = new HoldAccount(funded, deps)
  try {
    return holdEnd(await next({ ...funded.call, account }), account.settled)
  } catch (error) {
    await account.close()
    throw error
  }
}

/**
 * Reserves the most that one attempt may cost, in every budget of its caller, and settles it where the attempt ends, by
 * what the ledger charges: before the last of an answer is sent. An attempt that is never made costs nothing. One that is
 * expected to cost nothing reserves nothing, and what it costs nevertheless is booked. Callers without a budget pass.
 */
export const reserve = (deps: ReserveDeps): Policy<Call, Reply> =>
  function reserve(call, next) {
    const [target] = call.plan
    const limits = deps.budgetsOf(call.caller)
    if (!target || limits.length === 0) return next(call)
    const worst = deps.worstCases.of(call, target) ?? (deps.allowsUnpriced ? NOTHING : undefined)
    if (!worst) return Promise.reject(unpricedError(target.name))
    return funded(call, target, limits, worst, deps).then(async money => {
      const reply = await attempt(money, next, deps)
      return money.call === call ? reply : { ...reply, head: { ...reply.head, isShortened: true } }
    })
  }

export type SpentOutDeps = Readonly<{ budgets: Pick<Budgets, 'assertNotSpent'>; budgetsOf: BudgetsOf }>

/**
 * Refuses a call whose budget is spent, before anything is done for it. Whether what is left suffices is decided by the
 * reservation, so that a cached answer costs nothing.
 */
export const spentOut = ({ budgets, budgetsOf }: SpentOutDeps): Policy<Call, Reply> =>
  function spentOut(call, next) {
    const limits = budgetsOf(call.caller)
    if (limits.length === 0) return next(call)
    return budgets.assertNotSpent(limits).then(() => next(call))
  }
