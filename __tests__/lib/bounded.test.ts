import { describe, expect, it } from 'vitest'
import { newCounts } from '#lib/cache/counts.ts'
import { GatewayError } from '#lib/errors.ts'
import { UnsupportedParameters } from '#lib/llm/providers/shared/unsupported-parameters.ts'
import type { Target } from '#lib/llm/types.ts'
import { Metrics } from '#lib/observability/metrics.ts'
import { ProviderHealth } from '#lib/observability/provider-health.ts'
import { Circuit, circuitPerTarget } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { Cooldowns, lazyMap } from '#lib/resilience/per-target.ts'
import { Busy, LatencyEwma } from '#lib/routing/target-stats.ts'
import { FakeClock } from '../support/fake-clock.ts'

const NAMES = 5_000
const KEPT = 1_000

const targets: readonly Target[] = Array.from({ length: NAMES }, (_, at) => ({
  provider: 'openai',
  model: `x-${at}`,
  name: `openai/x-${at}`,
}))
const [first, last] = [targets[0] as Target, targets.at(-1) as Target]
const clock = new FakeClock()

describe('5,000 names that clients made up leave no more than 1,000 of them in memory', () => {
  it('in how fast targets are', () => {
    const pace = new LatencyEwma(clock)
    for (const target of targets) pace.record(target, 100)
    expect([pace.size, pace.of(first), pace.of(last)]).toEqual([KEPT, undefined, 100])
    for (const target of targets) pace.failed(target)
    expect(pace.size).toBe(KEPT)
  })

  it('in how busy targets are, of which those without calls are forgotten', () => {
    const busy = new Busy()
    const ends = targets.map(target => busy.begin(target))
    for (const end of [...ends, ...ends]) end()
    expect([busy.size, busy.of(last)]).toEqual([0, 0])
  })

  it('in the circuits', () => {
    const circuitOf = circuitPerTarget(
      () =>
        new Circuit({
          tripCondition: consecutive(1),
          openMs: 1,
          longestOpenMs: 1,
          clock,
          random: () => 0,
          onChange: () => {},
        }),
    )
    for (const target of targets) circuitOf(target)
    expect(circuitOf.all()).toHaveLength(KEPT)
  })

  it('in what is one for each: retry budgets, bulkheads, times to first content', () => {
    const of = lazyMap(
      (name: string) => name,
      name => ({ name }),
    )
    for (const { name } of targets) of(name)
    expect(of.all()).toHaveLength(KEPT)
  })

  it('in cooldowns', () => {
    const cooling = new Cooldowns({ longestMs: 60_000, refusedMs: 60_000, clock })
    const busy = new GatewayError('PROVIDER_RATE_LIMIT', undefined, { retryAfterSeconds: 30 })
    for (const target of targets) cooling.failed(target, busy)
    expect(targets.filter(target => cooling.cooldownError(target))).toHaveLength(KEPT)
  })

  it('in what providers have left', () => {
    const allowances = new RateHeadrooms()
    for (const target of targets) allowances.record(target, { share: 0, resetAt: 1 })
    expect(targets.filter(target => allowances.enoughAt(target) !== undefined)).toHaveLength(KEPT)
  })

  it('in what models do not take', () => {
    const learned = new UnsupportedParameters(clock)
    for (const { model } of targets) learned.add(model, ['temperature'])
    expect(targets.filter(({ model }) => learned.of(model).has('temperature'))).toHaveLength(KEPT)
    expect(learned.of(last.model).has('temperature')).toBe(true)
    const warm = () => 0.2
    for (const { model } of targets) learned.addValues(model, ['temperature'], warm)
    expect(targets.filter(({ model }) => learned.valuesOf(model, warm).includes('temperature'))).toHaveLength(
      KEPT,
    )
  })

  it('in health, which knows providers alone', () => {
    const health = new ProviderHealth(['openai'])
    for (const { provider } of targets) health.failed(provider, new GatewayError('NETWORK'))
    expect(Object.keys(health.report())).toEqual(['openai'])
  })

  it('in the labels of metrics, where they are all “other”', async () => {
    const metrics = new Metrics({
      isKnown: () => false,
      activeRequests: () => 0,
      cache: { counts: newCounts() },
    })
    for (const target of targets) metrics.circuitChanged(target, 'open')
    const lines = (await metrics.text()).split('\n').filter(line => line.startsWith('parley_circuit_state{'))
    expect(lines).toEqual(['parley_circuit_state{provider="openai",model="other"} 2'])
  })
})
