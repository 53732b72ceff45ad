import { newCounts } from '#lib/cache/counts.ts'
import { cache } from '#lib/cache/policy.ts'
import { background } from '#lib/cache/refreshes.ts'
import { type CacheSettings, cacheRules } from '#lib/cache/rules.ts'
import { cacheRuntime } from '#lib/cache/runtime.ts'
import { compose } from '#lib/compose.ts'
import type { GatewayError } from '#lib/errors.ts'
import { ActiveRequests } from '#lib/http/active-requests.ts'
import { meter } from '#lib/ledger/meter.ts'
import type { Call, Reply, ReplyEvent } from '#lib/llm/types.ts'
import { record } from '#lib/observability/request-record.ts'
import type { RequestContext } from '#lib/request-context.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import type { KeyValue } from '#lib/storage/types.ts'
import { collect, newCall, replyOf, text } from './calls.ts'
import { FakeClock } from './fake-clock.ts'
import { pricesWith } from './prices.ts'

export const TTL_MS = 600_000
export const FINISH: ReplyEvent = { type: 'finish', reason: 'stop' }
export const ANSWER = [...text('one ', 'two ', 'three'), FINISH]
export const SHORT_ANSWER = [...text('one two three'), FINISH]

/** One call that has reached the upstream, which says what it is told to. */
class Asked {
  readonly call: Call
  /** Whether its reader has gone or read to the end. */
  left = false
  readonly #pending: (readonly ReplyEvent[])[] = []
  #wake = Promise.withResolvers<void>()
  #isOver = false

  constructor(call: Call) {
    this.call = call
    call.signal.addEventListener('abort', () => this.end())
  }

  say(...events: ReplyEvent[]): void {
    this.#pending.push(events)
    this.#wake.resolve()
  }

  end(): void {
    this.#isOver = true
    this.#wake.resolve()
  }

  /** Says all of it, one event a batch, and ends. */
  answer(...events: ReplyEvent[]): void {
    for (const event of events) this.say(event)
    this.end()
  }

  async *events(): AsyncGenerator<readonly ReplyEvent[]> {
    try {
      for (;;) {
        const batch = this.#pending.shift()
        if (batch) yield batch
        else if (this.#isOver) return
        else {
          this.#wake = Promise.withResolvers<void>()
          await this.#wake.promise
        }
      }
    } finally {
      this.left = true
    }
  }
}

export type CacheSettingOptions = Readonly<{
  settings?: CacheSettings
  store?: KeyValue
  clock?: FakeClock
  mostBytes?: number
}>

let settings = 0

/** One gateway's cache before an upstream that does what a test says. */
export const cacheSetting = (options: CacheSettingOptions = {}) => {
  const clock = options.clock ?? new FakeClock()
  const store = options.store ?? memoryKeyValue(1_000_000, clock)
  const counts = newCounts()
  const activeRequests = new ActiveRequests()
  const refreshed: { context: RequestContext; error: GatewayError | undefined }[] = []
  const prefix = `gateway-${settings++}`
  let ids = 0
  const state = cacheRuntime({
    store,
    mostBytes: options.mostBytes ?? 100_000,
    newId: () => `${prefix}-${ids++}`,
    background: background({
      open: client => activeRequests.open(client),
      clock,
      timeoutMs: 30_000,
      pipeline: compose<Call, Reply>(
        record(),
        meter(pricesWith({ priceOf: () => ({ input: 1_000_000, output: 1_000_000 }) })),
      ),
      onEnd: async (context, error) => {
        refreshed.push({ context, error })
      },
    }),
    counts,
    clock,
  })
  const { generations } = state
  const rules = cacheRules(options.settings ?? {}, { ttlSeconds: TTL_MS / 1000 })
  const policy = cache({ ...state, rules, clock })
  const calls: Asked[] = []
  let failure: unknown
  const next = async (call: Call): Promise<Reply> => {
    const asked = new Asked(call)
    calls.push(asked)
    if (failure) throw failure
    return replyOf(asked.events())
  }
  const ask = (changes: Partial<Call> = {}) => policy(newCall(changes), next)
  /** Asks, and lets the upstream answer at once if it is reached. */
  const answered = async (changes: Partial<Call> = {}, events: readonly ReplyEvent[] = ANSWER) => {
    const before = calls.length
    const reply = await ask(changes)
    if (calls.length > before) calls.at(-1)?.answer(...events)
    return { cache: reply.head.cache, events: await collect(reply) }
  }
  return {
    clock,
    store,
    counts,
    activeRequests,
    refreshed,
    generations,
    policy,
    calls,
    ask,
    answered,
    answer: (...events: ReplyEvent[]) => calls.at(-1)?.answer(...events),
    /** From now on the upstream fails with this before its first content; with nothing, it answers again. */
    failWith: (error: unknown) => {
      failure = error
    },
  }
}
