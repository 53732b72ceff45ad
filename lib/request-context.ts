import type { GatewayError } from './errors.ts'
import type { FinishReason, ReplyHead, Target, Usage } from './llm/reply-head.ts'

/** The caller, as far as known. Every request starts as anonymous. */
export type Caller =
  | Readonly<{ kind: 'anonymous'; address: string }>
  | Readonly<{ kind: 'guest'; id: string; address: string }>
  | Readonly<{ kind: 'key' } & KeyIdentity & { address: string }>

/** The API key of a caller. Keys of one owner share everything that belongs to it. */
export type KeyIdentity = Readonly<{ id: string; name: string; owner?: string | undefined; role: Role }>

export type Role = 'member' | 'admin'

/** For the end of a switch over the kinds of callers: a missing kind does not compile. Throws an Error. */
export const unknownCaller = (_: never): never => {
  throw new Error('A caller of an unknown kind.')
}

/** The prefixes of an owner's text. They are stored in the database and must not change. */
const PREFIXES = ['address', 'guest', 'key', 'owner'] as const

/**
 * The owner of an answer, whom only the same caller matches. Absent where the caller cannot be identified: then there
 * is no owner.
 */
export const ownerOf = (caller: Caller): string | undefined => {
  switch (caller.kind) {
    case 'guest':
      return `guest ${caller.id}`
    case 'key':
      return caller.owner === undefined ? `key ${caller.id}` : `owner ${caller.owner}`
    case 'anonymous':
      return caller.address === 'unknown' ? undefined : `address ${caller.address}`
    default:
      return unknownCaller(caller)
  }
}

/**
 * The caller of an owner, long after the request; the address is known only where it is the identity. Throws an Error
 * for text that `ownerOf` never returns.
 */
export const callerOf = (owner: string): Caller => {
  const [prefix = '', ...rest] = owner.split(' ')
  const id = rest.join(' ')
  const known = PREFIXES.find(one => one === prefix)
  if (known === undefined || id === '') throw new Error('An owner of an unknown kind.')
  switch (known) {
    case 'guest':
      return { kind: 'guest', id, address: 'unknown' }
    case 'address':
      return { kind: 'anonymous', address: id }
    case 'key':
      return { kind: 'key', id, name: id, role: 'member', address: 'unknown' }
    case 'owner':
      return { kind: 'key', id: 'unknown', name: id, owner: id, role: 'member', address: 'unknown' }
    default:
      return unknownCaller(known)
  }
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
export type Surface = 'chat' | 'images' | 'api' | 'upload'

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
  /** Its public name, in the headers `RateLimit` and `RateLimit-Policy`. */
  name: string
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
  /** How it ended, once its usage is known. `aborted`: by the client, or because another attempt was faster. */
  outcome?: 'ok' | 'error' | 'aborted'
  error?: GatewayError
  /** What it has used, with its cost; absent where nothing is known to have been used. */
  usage?: Usage
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
  /** The caller, once it is identified. */
  identity?: Caller
  limit?: LimitState
  plan?: readonly Target[]
  /** The requested model. */
  model?: string
  /** Targets of the plan that were not called, and why: an error's code. */
  skipped?: Readonly<{ target: string; reason: string }>[]
  /** Of its rows in the ledger. */
  ledgerId?: string
  /** The target of a weighted alias that the caller was assigned. */
  arm?: string
  attempts: Attempt[]
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

/** Counts an ignored event of an upstream stream. */
export const ignored = (journal: Journal): void => {
  journal.ignoredEvents = (journal.ignoredEvents ?? 0) + 1
}

export const newJournal = (): Journal => ({ attempts: [] })

/** How a request ended, for the log and the metrics. */
export type RequestEnd = Readonly<{
  method: string
  status: number
  /** The error with which it was refused, or failed before its answer had started. */
  thrown: GatewayError | undefined
  /** Why it was aborted, where it was. */
  abortedBy: GatewayError | undefined
}>

/** Reports the end of background work, with its error before its answer had started. */
export type BackgroundEnd = (context: RequestContext, error: GatewayError | undefined) => Promise<void>

/** How a request ended. `aborted`: the client disconnected first. */
export type Outcome = Readonly<{
  method: string
  status: number
  outcome: 'ok' | 'error' | 'aborted'
  error?: GatewayError | undefined
  endedAt: number
}>
