import { countedKeysOf } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import { tap } from '../llm/events.ts'
import { completionTokensOf } from '../llm/passthrough-size.ts'
import type { Call, Reply, Usage } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import type { Bucket, Counter, Taking } from './counter.ts'
import { MINUTE_MS, rejection, stateOf, stillCounts, tightest } from './policy.ts'
import type { KeySlots } from './slots.ts'

/** Output that is reserved where a call sets no limit of its own. */
const USUAL_OUTPUT_TOKENS = 1_000

export type TokenLimitDeps = Readonly<{
  counter: Counter
  clock: Clock
  /** Estimates the input tokens of a call. */
  estimate: (call: Call) => number
}>

/** The buckets of the caller's key, and of those that made it. */
const bucketsOf = ({ caller }: Call): readonly Bucket[] =>
  countedKeysOf(caller).flatMap(({ id, limits }) => {
    const limit = limits?.tokensPerMinute
    return limit === undefined ? [] : [{ key: `tokens:key:${id}`, limit, windowMs: MINUTE_MS }]
  })

/** The most output of a call. What endpoints beside chat answer is no text, but for completions. */
const outputOf = ({ passthrough, maxOutputTokens, parameters }: Call): number => {
  if (!passthrough) return (maxOutputTokens ?? USUAL_OUTPUT_TOKENS) * (parameters?.choices ?? 1)
  return passthrough.endpoint === 'completions' ? completionTokensOf(passthrough) : 0
}

/** Tokens that were used; a call for which no upstream was asked used none. */
const usedBy = ({ attempts }: Call, { inputTokens, outputTokens }: Usage): number =>
  attempts.made.length === 0 ? 0 : inputTokens + outputTokens

type Reserved = Readonly<{ buckets: readonly Bucket[]; cost: number; takenAt: number }>

/**
 * Corrects a reservation by the tokens really used. What exceeds the limit is counted as far as the window has room;
 * what was not used is returned while it still counts. Never rejects.
 */
const correct = async (
  { buckets, cost, takenAt }: Reserved,
  used: number,
  { counter, clock }: TokenLimitDeps,
): Promise<void> => {
  const now = clock.now()
  const difference = used - cost
  if (difference === 0 || (difference < 0 && !stillCounts(takenAt, MINUTE_MS, now))) return
  for (const bucket of buckets) await correctOne(bucket, { difference, takenAt, now }, counter)
}

type Correction = Readonly<{ difference: number; takenAt: number; now: number }>

const correctOne = async (
  bucket: Bucket,
  { difference, takenAt, now }: Correction,
  counter: Counter,
): Promise<void> => {
  try {
    const [taking] = await counter.take([bucket], difference, now, takenAt)
    if (taking && !taking.allowed && taking.remaining > 0) await counter.take([bucket], taking.remaining, now)
  } catch {
    // The reservation stays.
  }
}

type Reservation = Readonly<{ taking: Taking; cost: number }>

const leastOf = (takings: readonly Taking[]): number => Math.min(...takings.map(({ remaining }) => remaining))

/**
 * Reserves the estimate of a call; where less is left, but more than its input, all that is left: so calls that follow
 * one another are not refused for output that they never have.
 */
const reserve = async (
  buckets: readonly Bucket[],
  input: number,
  cost: number,
  { counter, clock }: TokenLimitDeps,
): Promise<Reservation | undefined> => {
  const takings = await counter.take(buckets, cost, clock.now())
  const taking = tightest(takings)
  const left = leastOf(takings)
  if (!taking || taking.allowed || left <= input) return taking && { taking, cost }
  const rest = tightest(await counter.take(buckets, left, clock.now()))
  return rest && { taking: rest, cost: left }
}

/** Waits for a reservation, and throws RATE_LIMITED where there is no room. */
const reserveOrThrow = async (
  buckets: readonly Bucket[],
  call: Call,
  input: number,
  deps: TokenLimitDeps,
): Promise<Reserved> => {
  const askedAt = deps.clock.now()
  // A call larger than the limit is let through once the window is empty.
  const most = Math.min(...buckets.map(({ limit }) => limit), input + outputOf(call))
  const reserved = await reserve(buckets, input, most, deps)
  waited(call.journal, 'limit', deps.clock.now() - askedAt)
  const takenAt = deps.clock.now()
  if (!reserved) return { buckets, cost: 0, takenAt }
  call.journal.tokenLimit = stateOf('tokens', reserved.taking)
  if (!reserved.taking.allowed) throw rejection('Too many tokens', reserved.taking)
  return { buckets, cost: reserved.cost, takenAt }
}

/**
 * Bounds the tokens a minute of a key that has such a limit: an estimate is reserved, and corrected when the answer has
 * ended. A call that is refused, or for which no upstream was asked, costs nothing.
 */
export const keyTokens = (deps: TokenLimitDeps): Policy<Call, Reply> =>
  async function keyTokens(call, next) {
    const buckets = bucketsOf(call)
    if (buckets.length === 0) return await next(call)
    const input = Math.ceil(Math.max(1, deps.estimate(call)))
    const reserved = await reserveOrThrow(buckets, call, input, deps)
    const atMostInput = Math.min(reserved.cost, input)
    try {
      const reply = await next(call)
      void reply.usage.then(
        usage => correct(reserved, usedBy(call, usage), deps),
        () => correct(reserved, atMostInput, deps),
      )
      return reply
    } catch (error) {
      await correct(reserved, call.attempts.made.length === 0 ? 0 : atMostInput, deps)
      throw error
    }
  }

export type ConcurrencyDeps = Readonly<{ slots: KeySlots; clock: Clock }>

const tooMany = (most: number): GatewayError =>
  new GatewayError('RATE_LIMITED', `Too many calls in progress: this API key may have ${most}.`, {
    retryAfterSeconds: 1,
  })

type Leave = () => void

/** Slots of the caller's key and of those that made it; throws where one has none left. Undefined without a limit. */
const enter = async ({ caller }: Call, slots: KeySlots): Promise<Leave | undefined> => {
  const entered: Leave[] = []
  const leave = () => {
    for (const one of entered) one()
  }
  for (const { id, limits } of countedKeysOf(caller)) {
    const most = limits?.concurrency
    if (most === undefined) continue
    const left = await slots.enter(id, most)
    if (left) entered.push(left)
    else {
      leave()
      throw tooMany(most)
    }
  }
  return entered.length === 0 ? undefined : leave
}

/** Bounds the calls in progress of a key that has such a limit; a call ends with its answer, however that ends. */
export const keyConcurrency = ({ slots, clock }: ConcurrencyDeps): Policy<Call, Reply> =>
  async function keyConcurrency(call, next) {
    if (call.caller.kind !== 'key') return await next(call)
    const askedAt = clock.now()
    const leave = await enter(call, slots).finally(() => waited(call.journal, 'limit', clock.now() - askedAt))
    if (!leave) return await next(call)
    try {
      return tap(await next(call), { onEnd: leave })
    } catch (error) {
      leave()
      throw error
    }
  }
