import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import { tap } from '../llm/events.ts'
import type { Call, Reply, Usage } from '../llm/types.ts'
import { waited } from '../request-context.ts'
import type { Bucket, Counter, Taking } from './counter.ts'
import { MINUTE_MS, rejection, stateOf, stillCounts } from './policy.ts'
import type { KeySlots } from './slots.ts'

/** Output that is reserved where a call sets no limit of its own. */
const USUAL_OUTPUT_TOKENS = 1_000

export type TokenLimitDeps = Readonly<{
  counter: Counter
  clock: Clock
  /** Estimates the input tokens of a call. */
  estimate: (call: Call) => number
}>

const bucketOf = ({ caller }: Call): Bucket | undefined => {
  const limit = caller.kind === 'key' ? caller.limits?.tokensPerMinute : undefined
  if (caller.kind !== 'key' || limit === undefined) return undefined
  return { key: `tokens:key:${caller.id}`, limit, windowMs: MINUTE_MS }
}

/** Tokens that were used; a call for which no upstream was asked used none. */
const usedBy = ({ attempts }: Call, { inputTokens, outputTokens }: Usage): number =>
  attempts.made.length === 0 ? 0 : inputTokens + outputTokens

type Reserved = Readonly<{ bucket: Bucket; cost: number; takenAt: number }>

/**
 * Corrects a reservation by the tokens really used. What exceeds the limit is counted as far as the window has room;
 * what was not used is returned while it still counts. Never rejects.
 */
const correct = async (
  { bucket, cost, takenAt }: Reserved,
  used: number,
  { counter, clock }: TokenLimitDeps,
): Promise<void> => {
  const now = clock.now()
  const difference = used - cost
  if (difference === 0 || (difference < 0 && !stillCounts(takenAt, bucket.windowMs, now))) return
  try {
    const [taking] = await counter.take([bucket], difference, now)
    if (taking && !taking.allowed && taking.remaining > 0) await counter.take([bucket], taking.remaining, now)
  } catch {
    // The reservation stays.
  }
}

type Reservation = Readonly<{ taking: Taking; cost: number }>

/**
 * Reserves the estimate of a call; where less is left, but more than its input, all that is left: so calls that follow
 * one another are not refused for output that they never have.
 */
const reserve = async (
  bucket: Bucket,
  input: number,
  cost: number,
  { counter, clock }: TokenLimitDeps,
): Promise<Reservation | undefined> => {
  const [taking] = await counter.take([bucket], cost, clock.now())
  if (!taking || taking.allowed || taking.remaining <= input) return taking && { taking, cost }
  const [rest] = await counter.take([bucket], taking.remaining, clock.now())
  return rest && { taking: rest, cost: taking.remaining }
}

/** Waits for a reservation, and throws RATE_LIMITED where there is no room. */
const reserveOrThrow = async (
  bucket: Bucket,
  call: Call,
  input: number,
  deps: TokenLimitDeps,
): Promise<Reserved> => {
  const askedAt = deps.clock.now()
  // A call larger than the limit is let through once the window is empty.
  const most = Math.min(bucket.limit, input + (call.maxOutputTokens ?? USUAL_OUTPUT_TOKENS))
  const reserved = await reserve(bucket, input, most, deps)
  waited(call.journal, 'limit', deps.clock.now() - askedAt)
  if (!reserved) return { bucket, cost: 0, takenAt: askedAt }
  call.journal.tokenLimit = stateOf('tokens', reserved.taking)
  if (!reserved.taking.allowed) throw rejection('Too many tokens', reserved.taking)
  return { bucket, cost: reserved.cost, takenAt: askedAt }
}

/**
 * Bounds the tokens a minute of a key that has such a limit: an estimate is reserved, and corrected when the answer has
 * ended. A call that is refused, or for which no upstream was asked, costs nothing.
 */
export const keyTokens = (deps: TokenLimitDeps): Policy<Call, Reply> =>
  async function keyTokens(call, next) {
    const bucket = bucketOf(call)
    if (!bucket) return await next(call)
    const input = Math.ceil(Math.max(1, deps.estimate(call)))
    const reserved = await reserveOrThrow(bucket, call, input, deps)
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

/** Bounds the calls in progress of a key that has such a limit; a call ends with its answer, however that ends. */
export const keyConcurrency = ({ slots, clock }: ConcurrencyDeps): Policy<Call, Reply> =>
  async function keyConcurrency(call, next) {
    const { caller } = call
    const most = caller.kind === 'key' ? caller.limits?.concurrency : undefined
    if (caller.kind !== 'key' || most === undefined) return await next(call)
    const askedAt = clock.now()
    const leave = await slots.enter(caller.id, most)
    waited(call.journal, 'limit', clock.now() - askedAt)
    if (!leave) throw tooMany(most)
    try {
      return tap(await next(call), { onEnd: leave })
    } catch (error) {
      leave()
      throw error
    }
  }
