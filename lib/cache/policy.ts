import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import type { Call, Reply, ReplyHead } from '../llm/types.ts'
import type { KeyValue } from '../storage/types.ts'
import { Flight } from './flight.ts'
import { cacheKey } from './key.ts'
import { recorded, replayed, type StoredAnswer } from './stored-answer.ts'

/** What is being asked at this moment, by key. */
export type Flights = Map<string, Flight>

export type CacheParts = Readonly<{
  store: KeyValue
  ttlMs: number
  clock: Clock
  /** Shared with those who come after a change of settings; one's own when absent. */
  flights?: Flights
}>

const as = (reply: Reply, cache: ReplyHead['cache']): Reply => ({ ...reply, head: { ...reply.head, cache } })

const find = async ({ store }: CacheParts, key: string): Promise<StoredAnswer | undefined> => {
  const found = await store.get(key)
  return found === undefined ? undefined : (JSON.parse(found) as StoredAnswer)
}

/** Keeps the answer once it is complete; one that another model gave in its place is not worth repeating. */
const kept = (reply: Reply, key: string, { store, ttlMs, clock }: CacheParts): Reply =>
  reply.head.fallback
    ? reply
    : recorded(reply, answer => {
        void store.set(key, JSON.stringify({ ...answer, storedAt: clock.now() }), ttlMs)
      })

/**
 * Answers a question again that this caller has asked before, and asks only once what is asked several times at
 * the same moment. Only complete answers are kept; a stream and a whole answer are kept as the same.
 */
export const cache = (parts: CacheParts | undefined): Policy<Call, Reply> => {
  const flights: Flights = parts?.flights ?? new Map()

  return async function cache(call, next) {
    const key = parts && call.cache !== 'no-store' ? cacheKey(call) : undefined
    if (!parts || key === undefined) return as(await next(call), 'bypass')
    if (call.cache === 'refresh') return kept(await next(call), key, parts)

    const stored = await find(parts, key)
    if (stored) return replayed(stored)

    const together = `${key} ${call.fallback}`
    const joined = flights.get(together)
    if (joined) return as(await joined.read(call.signal), 'hit')

    const flight = new Flight(
      async signal => kept(await next({ ...call, signal }), key, parts),
      () => flights.delete(together),
    )
    flights.set(together, flight)
    return flight.read(call.signal)
  }
}
