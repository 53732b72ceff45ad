import { LRUCache } from 'lru-cache'
import { type Caller, ownerOf } from '../../caller.ts'
import { threadProgram } from '../../thread-program.ts'
import { type Checked, CheckThread, type CheckThreadDeps } from './check-thread.ts'
import { FairQueue } from './fair-queue.ts'
import type { CheckRequest } from './messages.ts'

/** The program of the checks' threads. */
export const CHECKS_PROGRAM = threadProgram(import.meta.url)

/** An owner whose checks have taken as long as this in a minute shares a thread with others of that kind. */
const SLOW_MS = 1_500
const MINUTE_MS = 60_000
const MOST_OWNERS = 10_000

/** On whose behalf checks are made, and what ends the wait for them. */
export type CheckedFor = Readonly<{ caller: Caller; signal: AbortSignal }>

/** The owner whose turn a check takes: that of a key, or an address with all its guests, whose sessions cost nothing. */
const ownerOfTurn = (caller: Caller): string => {
  if (caller.kind === 'guest' && caller.address !== 'unknown') return `address ${caller.address}`
  return ownerOf(caller) ?? 'unknown'
}

type Waiting = Readonly<{ owner: string; request: CheckRequest; settle: (checked: Checked<unknown>) => void }>

/**
 * Checks answers by the expressions and schemas of clients, in threads of their own: however long one takes, the event
 * loop is free, and after `limitMs` the check ends without a result. Owners take turns; those whose checks are slow do so
 * in a thread apart, where they hold up only each other.
 */
export class Checks {
  readonly #queue = new FairQueue<Waiting>()
  readonly #usual: CheckThread
  readonly #slow: CheckThread
  /** How long the checks of each owner have taken since its first one in this minute, ms. */
  readonly #used: LRUCache<string, number>

  constructor(deps: CheckThreadDeps) {
    this.#usual = new CheckThread(deps)
    this.#slow = new CheckThread(deps)
    this.#used = new LRUCache({
      max: MOST_OWNERS,
      ttl: MINUTE_MS,
      ttlResolution: 0,
      noUpdateTTL: true,
      perf: deps.clock,
    })
  }

  /** The checks of one evaluation. */
  for({ caller, signal }: CheckedFor): AnswerChecks {
    const owner = ownerOfTurn(caller)
    return new AnswerChecks(request => this.#asked(request, owner, signal))
  }

  /** Rejects with the signal's reason once it aborts; the check then leaves the queue. */
  #asked(request: CheckRequest, owner: string, signal: AbortSignal): Promise<Checked<unknown>> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const settle = (checked: Checked<unknown>): void => {
        signal.removeEventListener('abort', onAbort)
        resolve(checked)
      }
      const waiting: Waiting = { owner, request, settle }
      const onAbort = (): void => {
        this.#queue.remove(waiting)
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#queue.add(waiting)
      this.#start()
    })
  }

  #isSlow(owner: string): boolean {
    return (this.#used.get(owner) ?? 0) >= SLOW_MS
  }

  /** Gives each thread that is free its next check. */
  #start(): void {
    for (const thread of [this.#usual, this.#slow]) {
      if (thread.isRunning) continue
      const isForSlow = thread === this.#slow
      const next = this.#queue.next(owner => this.#isSlow(owner) === isForSlow)
      if (next) void this.#run(thread, next)
    }
  }

  async #run(thread: CheckThread, { owner, request, settle }: Waiting): Promise<void> {
    const { checked, tookMs } = await thread.run(request)
    this.#used.set(owner, (this.#used.get(owner) ?? 0) + tookMs)
    settle(checked)
    this.#start()
  }
}

/** The checks of one evaluation. Each rejects with the reason of its signal once that aborts. */
export class AnswerChecks {
  readonly #ask: (request: CheckRequest) => Promise<Checked<unknown>>

  constructor(ask: (request: CheckRequest) => Promise<Checked<unknown>>) {
    this.#ask = ask
  }

  /** What is wrong with an expression; undefined where it can be used. */
  patternFault(pattern: string, flags: string): Promise<string | undefined> {
    return this.#faultOf({ kind: 'pattern', pattern, flags })
  }

  /** What is wrong with a schema; undefined where it can be used. */
  schemaFault(schema: unknown): Promise<string | undefined> {
    return this.#faultOf({ kind: 'schema', schema })
  }

  /** Whether an expression matches anywhere in a text. */
  async matches(pattern: string, flags: string, text: string): Promise<Checked<boolean>> {
    return (await this.#ask({ kind: 'match', pattern, flags, text })) as Checked<boolean>
  }

  /** How a JSON text violates a schema: sentences, none where it does not. */
  async violations(schema: unknown, text: string): Promise<Checked<readonly string[]>> {
    return (await this.#ask({ kind: 'validate', schema, text })) as Checked<readonly string[]>
  }

  async #faultOf(request: CheckRequest): Promise<string | undefined> {
    const checked = (await this.#ask(request)) as Checked<string | undefined>
    return checked.state === 'known' ? checked.value : checked.reason
  }
}
