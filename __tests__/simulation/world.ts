import { getEventListeners } from 'node:events'
import { sleep } from '#lib/clock.ts'
import type { Handler } from '#lib/compose.ts'
import { GatewayError, toGatewayError } from '#lib/errors.ts'
import { admission, pipelines } from '#lib/gateway/pipelines.ts'
import type { Call, Reply, Target } from '#lib/llm/types.ts'
import { newCall } from '../support/calls.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { Happening, History } from './history.ts'
import { PROMISES, simulationParts, TARGET_LIST } from './parts.ts'
import { type AttemptBook, simulatedProvider } from './provider.ts'
import type { Asker, Fate, Scenario } from './scenario.ts'

/** While callers come, and a while after. */
const LIVELY_MS = 30_000
const LOOK_EVERY_MS = 500
const HORIZON_MS = 90_000
const WELL: Fate = { kind: 'answers', afterMs: 500, pieces: 1, paceMs: 0 }
/** More successes than any circuit asks for before it closes. */
const PROBES = 4

/** Park and Miller's minimal generator. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

type Unstamped = Happening extends infer One ? (One extends Happening ? Omit<One, 'at'> : never) : never

/** One gateway in a world whose time, chance and providers are simulated, and all that happens in it. */
class World {
  readonly history: Happening[] = []
  readonly #clock = new FakeClock()
  readonly #startedAt = this.#clock.now()
  readonly #scenario: Scenario
  readonly #asked = new Map<string, number>()
  readonly #signals = new Set<AbortSignal>()
  readonly #answer: Handler<Call, Reply>
  #isAftermath = false
  #calls = 0
  #openCalls = 0
  #openAttempts = 0
  #attempts = 0
  #permits = 0

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    const ids = [...new Set(TARGET_LIST.map(({ provider }) => provider))]
    const parts = simulationParts({
      clock: this.#clock,
      random: randomFrom(scenario.seed),
      providers: ids.map(id =>
        simulatedProvider({
          id,
          clock: this.#clock,
          fateOf: target => this.#fateOf(target),
          open: (call, target) => this.#open(call, target),
        }),
      ),
      onPermit: (target, state) => this.#onPermit(target, state),
    })
    const admit = admission(parts)
    const { chat } = pipelines(parts)
    this.#answer = async call => chat({ ...call, ...(await admit(call)) })
  }

  async run(): Promise<History> {
    for (const asker of this.#scenario.askers) this.#clock.timer(asker.at, () => void this.#ask(asker))
    for (let now = 0; now < LIVELY_MS; now += LOOK_EVERY_MS) {
      await this.#clock.advance(LOOK_EVERY_MS)
      this.#look()
    }
    await this.#clock.advance(HORIZON_MS)
    const timers = this.#clock.pending
    const listeners = [...this.#signals].reduce(
      (sum, signal) => sum + getEventListeners(signal, 'abort').length,
      0,
    )
    this.#isAftermath = true
    const freeSlots = await this.#freeSlots()
    this.#isAftermath = false
    this.#record({ type: 'rest', timers, listeners, freeSlots })
    return this.history
  }

  /** While nobody is served, nothing but the callers yet to come may be waiting. */
  #look(): void {
    if (this.#openCalls > 0 || this.#openAttempts > 0) return
    this.#record({ type: 'idle', timers: this.#clock.pending - (this.#scenario.askers.length - this.#calls) })
  }

  #record(happening: Unstamped): void {
    if (this.#isAftermath) return
    this.history.push({ ...happening, at: this.#clock.now() - this.#startedAt } as Happening)
  }

  #fateOf({ model }: Target): Fate {
    if (this.#isAftermath) return WELL
    const fates = this.#scenario.fates[TARGET_LIST.findIndex(target => target.model === model)] ?? [WELL]
    const asked = this.#asked.get(model) ?? 0
    this.#asked.set(model, asked + 1)
    return fates[asked % fates.length] ?? WELL
  }

  #open(call: Call, target: Target): AttemptBook {
    this.#attempts += 1
    this.#openAttempts += 1
    const id = `attempt-${this.#attempts}`
    this.#signals.add(call.signal)
    this.#record({ type: 'attempt', attempt: id, call: call.requestId, provider: target.provider })
    return {
      id,
      onContent: () => this.#record({ type: 'content', attempt: id }),
      onOver: (how, outputTokens) => {
        this.#openAttempts -= 1
        this.#record({ type: 'attempt-over', attempt: id, how, outputTokens })
      },
    }
  }

  #onPermit({ model }: Target, state: 'closed' | 'half-open' | 'open'): () => void {
    this.#permits += 1
    const permit = this.#permits
    this.#record({ type: 'permit', permit, target: model, state })
    return () => this.#record({ type: 'permit-over', permit })
  }

  async #ask(asker: Asker): Promise<void> {
    this.#calls += 1
    this.#openCalls += 1
    const client = new AbortController()
    const now = this.#clock.now()
    const caller = `caller-${asker.caller}`
    const question = `question ${asker.question}`
    const mark = `${question} of ${caller}`
    const call = newCall({
      requestId: `call-${this.#calls}`,
      client: { address: caller },
      caller: { kind: 'anonymous', address: caller },
      signal: client.signal,
      startedAt: now,
      deadlineAt: now + PROMISES.deadlineMs,
      messages: [{ role: 'user', content: question }],
      model: String(asker.targets),
      stream: asker.stream,
      cache: asker.cache,
      fallback: asker.fallback,
    })
    this.#signals.add(client.signal)
    const deadlineAt = call.deadlineAt - this.#startedAt
    const prompt = asker.readsForMs === 0
    this.#record({
      type: 'asked',
      call: call.requestId,
      caller,
      mark,
      stream: asker.stream,
      deadlineAt,
      prompt,
    })
    const leave = () => {
      this.#record({ type: 'left', call: call.requestId })
      client.abort(new GatewayError('CLIENT_GONE'))
    }
    const leaving =
      asker.leavesAfterMs === undefined ? undefined : this.#clock.timer(asker.leavesAfterMs, leave)
    try {
      await this.#read(call, await this.#answer(call), asker.readsForMs)
    } catch (thrown) {
      this.#record({ type: 'ended', call: call.requestId, code: toGatewayError(thrown).code })
    }
    leaving?.cancel()
    this.#openCalls -= 1
  }

  async #read(call: Call, reply: Reply, readsForMs: number): Promise<void> {
    const { requestId } = call
    const { id: answer, cache } = reply.head
    this.#record({ type: 'replied', call: requestId, answer, cache })
    void reply.usage.then(({ outputTokens, costPicoUsd }) =>
      this.#record({ type: 'billed', call: requestId, answer, cache, outputTokens, costPicoUsd }),
    )
    const events = reply.events[Symbol.asyncIterator]()
    for (let step = await events.next(); !step.done; step = await events.next()) {
      for (const event of step.value) {
        if (event.type === 'text-delta') this.#record({ type: 'said', call: requestId, text: event.text })
        else if (event.type === 'finish') this.#record({ type: 'ended', call: requestId })
        else if (event.type === 'error')
          this.#record({ type: 'ended', call: requestId, code: event.error.code })
      }
      if (readsForMs > 0 && !call.signal.aborted)
        await sleep(this.#clock, readsForMs, call.signal).catch(() => {})
      if (call.signal.aborted) return void (await events.return?.())
    }
  }

  /** How many calls each provider takes at once, after it has been well for long enough to be trusted again. */
  async #freeSlots(): Promise<Record<string, number>> {
    await this.#clock.advance(10 * PROMISES.longestOpenMs)
    const free: Record<string, number> = {}
    for (const target of TARGET_LIST) {
      for (let probe = 0; probe < PROBES; probe += 1) {
        this.#probe(target)
        await this.#clock.advance(PROMISES.longestOpenMs)
      }
      const before = this.#attempts
      for (let call = 0; call < 2 * PROMISES.slots.most; call += 1) this.#probe(target)
      await this.#clock.advance(0)
      free[target.provider] = Math.min(
        free[target.provider] ?? Number.POSITIVE_INFINITY,
        this.#attempts - before,
      )
      await this.#clock.advance(PROMISES.longestOpenMs)
    }
    return free
  }

  #probe(target: Target): void {
    this.#calls += 1
    const call = newCall({
      requestId: `probe-${this.#calls}`,
      client: { address: `probe-${this.#calls}` },
      startedAt: this.#clock.now(),
      deadlineAt: this.#clock.now() + PROMISES.deadlineMs,
      model: target.name,
      cache: 'no-store',
    })
    void this.#answer(call)
      .then(async ({ events }) => {
        for await (const _ of events);
      })
      .catch(() => {})
  }
}

/** Lets a scenario happen, from its first caller until long after its last. */
export const simulate = (scenario: Scenario): Promise<History> => new World(scenario).run()
