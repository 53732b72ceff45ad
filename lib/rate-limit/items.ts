import { GatewayError } from '../errors.ts'
import type { RequestContext } from '../request-context.ts'
import type { Bucket } from './counter.ts'
import { bucketsByCaller, type LimitDeps, rejection, stateOf, tightest } from './policy.ts'

/** Returns the uses of a job that was then not accepted. Never rejects. */
export type GiveBack = () => Promise<void>

const hoursOf = (windowMs: number): string => (windowMs === 3_600_000 ? 'an hour' : `in ${windowMs / 1000} s`)

const tooLarge = (count: number, { limit, windowMs }: Bucket): GatewayError => {
  const message = `are ${count}; you may submit at most ${limit} ${hoursOf(windowMs)} as JSON: split the job, or upload a file`
  return new GatewayError('INVALID_INPUT', `items: ${message}.`, { details: [{ path: 'items', message }] })
}

/**
 * Counts the items of a job submitted as JSON. A refused job costs nothing.
 * @throws GatewayError INVALID_INPUT where the job exceeds the limit itself, RATE_LIMITED where it fits later
 */
export const spendItems =
  ({ counter, clock, rates }: LimitDeps) =>
  async (context: RequestContext, count: number): Promise<GiveBack> => {
    if (!rates) return async () => {}
    const buckets = bucketsByCaller('items', context.caller, rates.batchItems)
    const smallest = buckets.toSorted((a, b) => a.limit - b.limit)[0]
    if (smallest && count > smallest.limit) throw tooLarge(count, smallest)
    const taking = tightest(await counter.take(buckets, count, clock.now()))
    const takenAt = clock.now()
    if (taking && !taking.allowed) {
      // Before that, since to return a use shows its own limit.
      await context.reservation?.release()
      context.journal.limit = stateOf('batch-items', taking)
      throw rejection('Too many items', taking)
    }
    return async () => {
      await counter.take(buckets, -count, clock.now(), takenAt).catch(() => {})
    }
  }
