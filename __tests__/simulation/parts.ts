import { newCounts } from '#lib/cache/counts.ts'
import { cacheRules } from '#lib/cache/rules.ts'
import { cacheRuntime } from '#lib/cache/runtime.ts'
import type { Clock } from '#lib/clock.ts'
import type { PipelineDeps } from '#lib/gateway/pipelines.ts'
import type { Provider, Target } from '#lib/llm/types.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { localSlots } from '#lib/rate-limit/slots.ts'
import { Circuit, circuitPerTarget, type Permit } from '#lib/resilience/breaker/circuit.ts'
import { anyOf, consecutive, sampling } from '#lib/resilience/breaker/trip-condition.ts'
import { bulkheads } from '#lib/resilience/bulkhead.ts'
import { RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { Cooldowns } from '#lib/resilience/per-target.ts'
import { retryBudgets } from '#lib/resilience/retry.ts'
import { Busy, LatencyEwma } from '#lib/routing/target-stats.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { allGuardrails } from '../support/guardrails.ts'
import { pricesWith } from '../support/prices.ts'
import { noTools } from '../support/tools.ts'
import { TARGETS } from './scenario.ts'

/** What the simulated gateway promises; the checker holds it to these. */
export const PROMISES = {
  limit: { limit: 4, windowMs: 10_000 },
  mostAttempts: 4,
  slots: { most: 3, mostWaiting: 3, waitMs: 3_000 },
  deadlineMs: 6_000,
  idleMs: 4_000,
  streamMs: 30_000,
  longestOpenMs: 20_000,
} as const

/** The first two belong to one provider, the third to another. */
export const TARGET_LIST: readonly Target[] = Array.from({ length: TARGETS }, (_, index) => ({
  provider: index < 2 ? 'first' : 'second',
  model: `model-${index}`,
  name: `model-${index}`,
}))

/** What a model name stands for: so many targets, or, by its name, one of them alone. */
const planOf = (model: string): readonly Target[] => {
  const one = TARGET_LIST.find(({ name }) => name === model)
  return one ? [one] : TARGET_LIST.slice(0, Number(model))
}

export type SimulationParts = Readonly<{
  clock: Clock
  /** From 0 to below 1. */
  random: () => number
  providers: readonly Provider[]
  /** Told of each leave to call that a circuit gives; returns what to call when that is over. */
  onPermit: (target: Target, state: Circuit['state']['name']) => () => void
}>

/** Tells of every leave it gives and of its end. */
class WatchedCircuit extends Circuit {
  readonly #onPermit: () => () => void

  constructor(
    options: ConstructorParameters<typeof Circuit>[0],
    onPermit: (state: Circuit['state']['name']) => () => void,
  ) {
    super(options)
    this.#onPermit = () => onPermit(this.state.name)
  }

  override enter(): Permit | number {
    const permit = super.enter()
    if (typeof permit === 'number') return permit
    const over = this.#onPermit()
    return {
      began: permit.began,
      succeeded: () => {
        over()
        permit.succeeded()
      },
      failed: reason => {
        over()
        permit.failed(reason)
      },
      released: () => {
        over()
        permit.released()
      },
    }
  }
}

const answersOf = (clock: Clock): PipelineDeps['cache'] => {
  const state = cacheRuntime({
    store: memoryKeyValue(1_000_000, clock),
    mostBytes: 100_000,
    counts: newCounts(),
    clock,
    newId: () => 'only-one',
    // Without stale windows there is nothing to do that nobody waits for.
    background: async () => {},
  })
  return { ...state, clock, rules: cacheRules({}, { ttlSeconds: 8 }) }
}

/** The real pipeline's parts, with only time, chance and the providers simulated. */
export const simulationParts = ({ clock, random, providers, onPermit }: SimulationParts): PipelineDeps => ({
  clock,
  auth: {
    clock,
    requireApiKey: false,
    acceptsPlaceholders: () => false,
    verify: async () => {
      throw new Error('There are no keys in the simulation.')
    },
    adminOf: async () => undefined,
    sessions: { issue: () => '', read: () => undefined },
  },
  limits: {
    clock,
    rates: {
      chat: { anonymous: PROMISES.limit, guest: PROMISES.limit, key: PROMISES.limit },
      images: PROMISES.limit,
      upload: PROMISES.limit,
      kv: PROMISES.limit,
      evaluation: PROMISES.limit,
      batchItems: { anonymous: PROMISES.limit, guest: PROMISES.limit, key: PROMISES.limit },
      api: PROMISES.limit,
    },
    counter: slidingWindow(1_000),
  },
  prices: pricesWith({ priceOf: () => ({ input: 1, output: 1 }) }),
  roles: { hasAdmins: async () => false },
  tools: noTools(clock),
  guardrails: allGuardrails(clock),
  batchItems: { activeById: async () => undefined },
  concurrency: { slots: localSlots(), clock },
  tokens: { counter: slidingWindow(1_000), clock, estimate: () => 1 },
  modelScopes: { targetOf: () => undefined, targetsOfAlias: () => undefined },
  headrooms: new RateHeadrooms(),
  cache: answersOf(clock),
  routes: {
    plan: model => planOf(model),
    imageChain: [],
    aliases: new Map(),
    hasEndpoint: () => true,
    stats: { latency: new LatencyEwma(clock), busy: new Busy() },
  },
  budgets: undefined,
  streams: undefined,
  fallbacks: { contextTokensOf: () => undefined, on: undefined, clock },
  retries: {
    most: 2,
    backoff: { baseMs: 250, longestMs: 8_000 },
    longestRetryAfterMs: 10_000,
    clock,
    random,
  },
  circuitOf: circuitPerTarget(
    target =>
      new WatchedCircuit(
        {
          tripCondition: anyOf(
            consecutive(3),
            sampling({ failingShare: 0.5, leastCalls: 8, windowMs: 30_000 }),
          ),
          openMs: 2_000,
          longestOpenMs: PROMISES.longestOpenMs,
          clock,
          random,
          onChange: () => {},
        },
        state => onPermit(target, state),
      ),
  ),
  hedges: undefined,
  cooldowns: new Cooldowns({ longestMs: 300_000, refusedMs: 5_000, clock }),
  retryBudgetOf: retryBudgets(),
  bulkheadOf: bulkheads(PROMISES.slots, clock),
  timeouts: {
    firstContentMs: Number.POSITIVE_INFINITY,
    idleMs: PROMISES.idleMs,
    streamMs: PROMISES.streamMs,
  },
  providers: {
    clock,
    listener: { succeeded: () => {}, failed: () => {} },
    priced: usage => usage,
    onAttemptEnd: () => {},
    drain: {
      isOn: () => false,
      mostMs: 0,
      open: () => ({ signal: new AbortController().signal, close: () => {} }),
      clock,
    },
    providers: new Map(providers.map(provider => [provider.id, provider])),
  },
})
