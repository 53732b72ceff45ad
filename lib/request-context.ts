import type { GatewayError } from './errors.ts'
import type { FinishReason, ReplyHead, Target, Usage } from './llm/reply-head.ts'

/** Who asks, as far as it is known. Every request starts as anonymous. */
export type Caller =
  | Readonly<{ kind: 'anonymous'; address: string }>
  | Readonly<{ kind: 'guest'; id: string; address: string }>

/** For the end of a switch over the kinds of callers: one that was forgotten does not compile. Throws an Error. */
export const unknownCaller = (_: never): never => {
  throw new Error('A caller of an unknown kind.')
}

/** What an owner's text begins with, by the kind of the caller. Rows of batches hold it: it must not change. */
const OWNER_PREFIX: Readonly<Record<Caller['kind'], string>> = { anonymous: 'address', guest: 'guest' }
const KINDS = Object.keys(OWNER_PREFIX) as Caller['kind'][]

/** Whose an answer is, so that nobody else finds it. Absent where it cannot be told who is asking: that is nobody's. */
export const ownerOf = (caller: Caller): string | undefined => {
  switch (caller.kind) {
    case 'guest':
      return `${OWNER_PREFIX.guest} ${caller.id}`
    case 'anonymous':
      return caller.address === 'unknown' ? undefined : `${OWNER_PREFIX.anonymous} ${caller.address}`
    default:
      return unknownCaller(caller)
  }
}

/**
 * Whoever that owner was, seen again long after the visit; their address is known only where it is all that is.
 * Throws an Error for what `ownerOf` never gives.
 */
export const callerOf = (owner: string): Caller => {
  const [prefix = '', ...rest] = owner.split(' ')
  const id = rest.join(' ')
  const kind = KINDS.find(known => OWNER_PREFIX[known] === prefix)
  if (kind === undefined || id === '') throw new Error('An owner of an unknown kind.')
  switch (kind) {
    case 'guest':
      return { kind, id, address: 'unknown' }
    case 'anonymous':
      return { kind, address: id }
    default:
      return unknownCaller(kind)
  }
}

/** What a request shows of its sender, before anyone has judged it. */
export type ClientInfo = Readonly<{
  /** The client's IP address, an IPv6 one cut to its /64; `unknown` where the host cannot tell. */
  address: string
  /** The key of `Authorization: Bearer` or `x-api-key`. */
  apiKey?: string | undefined
  /** The guest cookie's value, unless another site made the browser send it. */
  session?: string | undefined
}>

/** The family of limits that a route belongs to. */
export type Surface = 'chat' | 'api' | 'upload'

/** One HTTP request (or one piece of background work), whatever it asks for. */
export type RequestContext = Readonly<{
  requestId: string
  /** The route's pattern, never its filled-in path: `/api/chat`. */
  route: string
  surface: Surface
  client: ClientInfo
  caller: Caller
  /** Aborts when the client has gone or the gateway stops; its reason says which. */
  signal: AbortSignal
  /** Clock time of arrival, milliseconds. */
  startedAt: number
  journal: Journal
}>

/** How a limit stands after this request. */
export type LimitState = Readonly<{
  policy: string
  limit: number
  remaining: number
  windowSeconds: number
  /** Whole seconds until more is allowed. */
  resetSeconds: number
}>

/** One try to get an answer out of one target. */
export type Attempt = {
  readonly target: Target
  readonly startedAt: number
  /** When the first content was in hand. */
  firstContentAt?: number
  endedAt?: number
}

/** What an answer can be kept waiting for besides its upstream. `queue`: a free slot; `retry`: the pause before it. */
export type Wait = 'limit' | 'cache' | 'queue' | 'retry'

/** A second attempt beside a slow first one. `won`: the second answered; `lost`: the first did after all. */
export type Hedge = Readonly<{
  result: 'won' | 'lost' | 'failed'
  /** What the attempt that was broken off is taken to have used; absent where it came to none. */
  usage?: Usage
}>

/**
 * What is learned along the way: policies write down what they decide and see, the edge turns it into headers, the log
 * into a line. Nothing is decided by reading it, which `structure.test.ts` holds them to.
 */
export type Journal = {
  caller?: Caller['kind']
  limit?: LimitState
  plan?: readonly Target[]
  /** Which target of a weighted alias the caller was given. */
  arm?: string
  attempts: Attempt[]
  /** Milliseconds, by what they went to. */
  waits?: { [What in Wait]?: number }
  hedge?: Hedge
  /** The time it waited for an answer that another's call was asking for. */
  joined?: Readonly<{ startedAt: number; endedAt: number }>
  firstContentAt?: number
  finishReason?: FinishReason
  /** How many events of upstreams' streams held nothing of an answer, and nothing that their protocol knows. */
  ignoredEvents?: number
  /** What is known of the answer since its first content. */
  head?: ReplyHead
  /** Settles when the answer has ended. */
  usage?: Promise<Usage>
  /** What went wrong after the answer had begun. */
  error?: GatewayError
}

/**
 * Milliseconds until `now` during which an attempt was under way, or another's was waited for; those of two at
 * once count once.
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

/** Writes down time that went to waiting for something. */
export const waited = (journal: Journal, what: Wait, milliseconds: number): void => {
  journal.waits ??= {}
  journal.waits[what] = (journal.waits[what] ?? 0) + milliseconds
}

/** Counts an event of an upstream's stream that held nothing. */
export const ignored = (journal: Journal): void => {
  journal.ignoredEvents = (journal.ignoredEvents ?? 0) + 1
}

export const newJournal = (): Journal => ({ attempts: [] })

/** How a request ended: what the log and the metrics are given. */
export type RequestEnd = Readonly<{
  method: string
  status: number
  /** What it was refused with, or failed with before its answer had begun. */
  thrown: GatewayError | undefined
  /** Why it was aborted, where it was. */
  left: GatewayError | undefined
}>

/** Reports the end of work that no request waits for, with what it failed with before its answer had begun. */
export type BackgroundEnd = (context: RequestContext, error: GatewayError | undefined) => void
