import { describe, expect, it } from 'vitest'
import { withCircuits } from '#lib/observability/health.ts'
import { Circuit, type Permit } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const setting = () => {
  const clock = new FakeClock()
  const times = { openMs: 10_000, longestOpenMs: 10_000 }
  const circuit = new Circuit({
    tripCondition: consecutive(1),
    ...times,
    clock,
    random: () => 0,
    onChange: () => {},
  })
  const enter = () => circuit.enter() as Permit
  const health = (isKnown = true) =>
    withCircuits({ fake: { status: 'healthy', latencyMs: 5 } }, [[TARGET, circuit]], () => isKnown).fake
  return { clock, enter, health }
}

describe('the health of a provider', () => {
  it('is degraded while one of its models is not called, and says why and until when', async () => {
    const { clock, enter, health } = setting()
    expect(health()).toEqual({ status: 'healthy', latencyMs: 5 })
    enter().failed('NETWORK')
    expect(health()).toEqual({
      status: 'degraded',
      latencyMs: 5,
      message: 'fake/model is not called (1 failures in a row; the last: NETWORK), next probe in 10 s',
    })
    await clock.advance(10_000)
    expect(health()?.status).toBe('healthy')
    const probe = enter()
    expect(health()).toMatchObject({
      status: 'degraded',
      message: expect.stringContaining('is being probed'),
    })
    probe.succeeded()
    expect(health()?.status).toBe('healthy')
  })

  it('does not repeat names that clients made up', () => {
    const { enter, health } = setting()
    enter().failed('NETWORK')
    expect(health(false)?.message).toMatch(/^a model is not called/)
  })
})
