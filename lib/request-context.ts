import type { Caller } from './caller.ts'
import type { GatewayError } from './errors.ts'
import type { FinishReason, ReplyHead, Target, Usage } from './llm/message.ts'

/** The client's address and credentials, not yet verified. */
export type ClientInfo = Readonly<{
  /** The client's IP address, an IPv6 one cut to its /64; `unknown` where the server does not know it. */
  address: string
  /** The key of `Authorization: Bearer` or `x-api-key`. */
  apiKey?: string | undefined
  /** The guest cookie's value, unless another site made the browser send it. */
  session?: string | undefined
  /** The value of the cookie of an admin's session, on the same condition. */
  adminSession?: string | undefined
}>

/** The group of limits that a route belongs to. */
export type Surface = 'chat' | 'images' | 'api' | 'upload' | 'kv' | 'evaluation'

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
  /** The place in a trace of the client's, which goes on to the upstream; absent where it sent none. */
  traceparent?: string | undefined
  /** Clock time of arrival, milliseconds. */
  startedAt: number
  journal: Journal
  /** Absent where no limits apply, and for background work. */
  reservation?: Reservation
}>

/** A use taken from the caller's limits before the request's body is read. */
export type Reservation = Readonly<{
  /** Lets it count, once the request's call is made. */
  spend: () => void
  /** Returns it to the caller, unless it was spent. Never rejects. */
  release: () => Promise<void>
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
  /** Its place among the attempts of its request, from 0: a part of its id in the ledger. */
  readonly number: number
  readonly target: Target
  readonly startedAt: number
  /** The time at which its cost counts, where its budgets count it on another UTC day than that of its start. */
  accountedAt?: number
  /** When the first content arrived. */
  firstContentAt?: number
  endedAt?: number
  /** How it ended, once its usage is known. `aborted`: by the client, or because another attempt was faster. */
  outcome?: 'ok' | 'error' | 'aborted'
  error?: GatewayError
  /** What it has used, with its cost; absent where nothing is known to have been used. */
  usage?: Usage
}

/**
 * What delays an answer besides its upstream. `queue`: waiting for a free slot; `retry`: the pause before it; `tool`: the
 * gateway's own tools.
 */
export type Wait = 'limit' | 'cache' | 'queue' | 'retry' | 'tool'

/** A second attempt beside a slow first one. `won`: the second answered; `lost`: the first did. */
export type Hedge = Readonly<{
  result: 'won' | 'lost' | 'failed'
  /** The estimated usage of the aborted attempt; absent where there was none. */
  usage?: Usage
}>

/** One run of a tool of the gateway's own, within a call. `reason`: why it gave no result. */
export type ToolUse = Readonly<{ tool: string; state: 'done' | 'failed'; reason?: string }>

/** The money that was reserved for the attempts of a request. */
export type BudgetUse = {
  /** Whose budgets limit it, by their kinds. */
  readonly of: readonly string[]
  /** The UTC day to which it belongs. */
  readonly day: string
  /** Whole nanodollars, of all attempts together. */
  reservedNanoUsd: number
}

/** What a guardrail found in one request and what was done about it; never the text. */
export type GuardrailFinding = {
  readonly rail: string
  readonly rule: string
  readonly kind: string
  readonly place: string
  readonly action: string
  /** It was only counted. */
  readonly isShadow?: true
  /** Grows while more of it is found. */
  count: number
}

/**
 * The record of a request's handling. The only mutable part of a request: policies record their decisions and
 * observations, the HTTP layer turns them into headers, the log into a line. No decision may depend on it.
 */
export type Journal = {
  caller?: Caller['kind']
  /** The caller, once it is identified. */
  identity?: Caller
  limit?: LimitState
  /** The state of its key's token limit. */
  tokenLimit?: LimitState
  /** Absent where no budget applies, or nothing was reserved. */
  budget?: BudgetUse
  plan?: readonly Target[]
  /** The requested model. */
  model?: string
  /** Targets of the plan that were not called, and why: an error's code. */
  skipped?: Readonly<{ target: string; reason: string }>[]
  /** The digest of what is asked, by whom; absent where the cache is not to answer. */
  question?: string
  /** The id of the request's row in the ledger; the rows of its attempts add their numbers. */
  ledgerId?: string
  /** The target of a weighted alias that the caller was assigned. */
  arm?: string
  attempts: Attempt[]
  /** Milliseconds by kind of waiting. */
  waits?: { [What in Wait]?: number }
  hedge?: Hedge
  /** The gateway's own tools that were run, in the order in which they ended. */
  tools?: ToolUse[]
  /** What the guardrails found, each once with its count. */
  guardrails?: GuardrailFinding[]
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

/** Records an attempt at a target that begins now. */
export const beginAttempt = (
  { journal, attempts }: Readonly<{ journal: Journal; attempts: AttemptBudget }>,
  target: Target,
  now: number,
): Attempt => {
  const attempt: Attempt = { number: journal.attempts.length, target, startedAt: now }
  journal.attempts.push(attempt)
  attempts.begin(attempt)
  return attempt
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

/** Records what a guardrail found; its count may still grow. */
export const found = (journal: Journal, finding: GuardrailFinding): void => {
  journal.guardrails ??= []
  journal.guardrails.push(finding)
}

/** Records money that was reserved for an attempt. */
export const reserved = (journal: Journal, { of, day, reservedNanoUsd }: BudgetUse): void => {
  journal.budget ??= { of, day, reservedNanoUsd: 0 }
  journal.budget.reservedNanoUsd += reservedNanoUsd
}

/** Counts an ignored event of an upstream stream. */
export const ignored = (journal: Journal): void => {
  journal.ignoredEvents = (journal.ignoredEvents ?? 0) + 1
}

/** The caller of a request as far as it was identified, also of one that was refused: for logs. */
export const identifiedCaller = ({ journal, caller }: RequestContext): Caller => journal.identity ?? caller

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

const MOST_ATTEMPTS = 4

/**
 * The attempts of a call, made and remaining, over all its targets: created with the call, and shared by every copy of
 * it. Four attempts, of which one may be a hedge.
 */
export class AttemptBudget {
  readonly #made: Attempt[] = []
  #remaining = MOST_ATTEMPTS
  #hedged = false

  /** Attempts that are neither made nor reserved. */
  get remaining(): number {
    return this.#remaining
  }

  /** Every attempt that reached a provider, in order. */
  get made(): readonly Attempt[] {
    return this.#made
  }

  /** Whether one of the attempts was a hedge. */
  get hedged(): boolean {
    return this.#hedged
  }

  /**
   * Reserves an attempt that is about to be made; false where none is left.
   * @param leaving how many must be left for the later targets
   */
  take(leaving = 0): boolean {
    if (this.#remaining <= leaving) return false
    this.#remaining -= 1
    return true
  }

  /** Reserves an attempt beside one in progress: once for each call. */
  takeHedge(leaving: number): boolean {
    if (this.#hedged || !this.take(leaving)) return false
    this.#hedged = true
    return true
  }

  /** Records an attempt that is being sent to a provider. */
  begin(attempt: Attempt): void {
    this.#made.push(attempt)
  }

  /** Releases reservations that did not become attempts. To be called while none is in progress. */
  release(): void {
    this.#remaining = Math.max(0, MOST_ATTEMPTS - this.#made.length)
  }
}
