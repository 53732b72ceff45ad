import type { GatewayError } from './errors.ts'
import type { FinishReason, ReplyHead, Target, Usage } from './llm/types.ts'

/** The caller, as far as known. Every request starts as anonymous. */
export type Caller =
  | Readonly<{ kind: 'anonymous'; address: string }>
  | Readonly<{ kind: 'guest'; id: string; address: string }>

/**
 * The owner of an answer, whom only the same caller matches. Absent where the caller cannot be identified: then there
 * is no owner.
 */
export const ownerOf = (caller: Caller): string | undefined => {
  if (caller.kind === 'guest') return `guest ${caller.id}`
  return caller.address === 'unknown' ? undefined : `address ${caller.address}`
}

/** The caller of an owner, long after the request; the address is known only where it is the identity. */
export const callerOf = (owner: string): Caller => {
  const [kind, ...rest] = owner.split(' ')
  const id = rest.join(' ')
  return kind === 'guest' ? { kind, id, address: 'unknown' } : { kind: 'anonymous', address: id }
}

/** The client's address and credentials, not yet verified. */
export type ClientInfo = Readonly<{
  /** The client's IP address, an IPv6 one cut to its /64; `unknown` where the server does not know it. */
  address: string
  /** The key of `Authorization: Bearer` or `x-api-key`. */
  apiKey?: string | undefined
  /** The guest cookie's value, unless another site made the browser send it. */
  session?: string | undefined
}>

/** The group of limits that a route belongs to. */
export type Surface = 'chat' | 'api' | 'upload'

/** One HTTP request (or one piece of background work), of any kind. */
export type RequestContext = Readonly<{
  requestId: string
  /** The route's pattern, never its filled-in path: `/api/chat`. */
  route: string
  surface: Surface
  client: ClientInfo
  caller: Caller
  /** Aborts when the client has disconnected or the gateway stops; its reason says which. */
  signal: AbortSignal
  /** Clock time of arrival, milliseconds. */
  startedAt: number
  journal: Journal
}>

/** A limit's state after this request. */
export type LimitState = Readonly<{
  policy: string
  limit: number
  remaining: number
  windowSeconds: number
  /** Whole seconds until more is allowed. */
  resetSeconds: number
}>

/** One attempt to get an answer from one target. */
export type Attempt = {
  readonly target: Target
  readonly startedAt: number
  /** When the first content arrived. */
  firstContentAt?: number
  endedAt?: number
}

/** What delays an answer besides its upstream. `queue`: waiting for a free slot; `retry`: the pause before it. */
export type Wait = 'limit' | 'cache' | 'queue' | 'retry'

/** A second attempt beside a slow first one. `won`: the second answered; `lost`: the first did. */
export type Hedge = Readonly<{
  result: 'won' | 'lost' | 'failed'
  /** The estimated usage of the aborted attempt; absent where there was none. */
  usage?: Usage
}>

/**
 * The record of a request's handling. The only mutable part of a request: policies record their decisions and
 * observations, the HTTP layer turns them into headers, the log into a line. No decision may depend on it.
 */
export type Journal = {
  caller?: Caller['kind']
  limit?: LimitState
  plan?: readonly Target[]
  /** The target of a weighted alias that the caller was assigned. */
  arm?: string
  attempts: Attempt[]
  /** How often a target was tried, whether or not that led to an attempt. */
  tries: number
  /** Milliseconds by kind of waiting. */
  waits?: { [What in Wait]?: number }
  hedge?: Hedge
  /** The time it waited for the reply of another call. */
  joined?: Readonly<{ startedAt: number; endedAt: number }>
  firstContentAt?: number
  finishReason?: FinishReason
  /** How many events of upstream streams were outside their protocol and ignored. */
  ignoredEvents?: number
  /** Facts about the answer, from its first content on. */
  head?: ReplyHead
  /** Settles when the answer has ended. */
  usage?: Promise<Usage>
  /** The error after the answer had started. */
  error?: GatewayError
}

/**
 * Milliseconds until `now` during which an attempt was in progress, here or in a shared call; overlapping ones count
 * once.
 */
export const upstreamMs = ({ attempts, joined }: Journal, now: number): number => {
  let total = joined ? joined.endedAt - joined.startedAt : 0
  let countedUntil = 0
  for (const { startedAt, endedAt = now } of attempts) {
    total += Math.max(0, endedAt - Math.max(startedAt, countedUntil))
    countedUntil = Math.max(countedUntil, endedAt)
  }
  return total
}

/** Records time spent waiting. */
export const waited = (journal: Journal, what: Wait, milliseconds: number): void => {
  journal.waits ??= {}
  journal.waits[what] = (journal.waits[what] ?? 0) + milliseconds
}

export const newJournal = (): Journal => ({ attempts: [], tries: 0 })
