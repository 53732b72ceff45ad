import { describe, expect, it } from 'vitest'
import { Circuit, circuitPerTarget } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { sharedCircuits } from '#lib/resilience/shared-circuits.ts'
import { TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** Two gateways with a circuit each; what one tells the other hears. */
const gateways = () => {
  const clock = new FakeClock()
  const told: string[] = []
  const gateway = () => {
    const news = sharedCircuits((notice, holdsForMs) => {
      told.push(notice)
      for (const one of all) if (one.news !== news) one.news.receive(notice, holdsForMs)
    }, clock)
    const circuitOf = news.attach(
      circuitPerTarget(
        target =>
          new Circuit({
            tripCondition: consecutive(1),
            openMs: 10_000,
            longestOpenMs: 40_000,
            clock,
            random: () => 0,
            onChange: state => news.changed(target, state),
          }),
      ),
    )
    const fail = (): void => {
      const permit = circuitOf(TARGET).enter()
      if (typeof permit !== 'number') permit.failed('NETWORK')
    }
    return { news, circuit: circuitOf(TARGET), fail }
  }
  const all: ReturnType<typeof gateway>[] = []
  all.push(gateway(), gateway())
  return {
    clock,
    told,
    one: all[0] as ReturnType<typeof gateway>,
    other: all[1] as ReturnType<typeof gateway>,
  }
}

describe('a change of a circuit', () => {
  it('opens the other gateway’s circuit until the same time', () => {
    const { one, other, clock } = gateways()
    one.fail()
    expect(other.circuit.state).toMatchObject({
      name: 'open',
      until: clock.now() + 10_000,
      openedBy: 'another gateway',
    })
  })

  it('is sent once: neither received changes nor failed probes are sent on', async () => {
    const { one, other, clock, told } = gateways()
    one.fail()
    await clock.advance(10_000)
    one.fail()
    expect(one.circuit.state.name).toBe('open')
    expect(told).toHaveLength(1)
    const permit = other.circuit.enter()
    if (typeof permit !== 'number') permit.succeeded()
    expect(other.circuit.state.name).toBe('closed')
  })

  it.each(['', 'other news', 'circuit', 'circuit {', 'circuit {"provider":1}', 'circuit null'])(
    'makes nothing of “%s”',
    notice => {
      const { one } = gateways()
      one.news.receive(notice, 10_000)
      expect(one.circuit.state.name).toBe('closed')
    },
  )
})
