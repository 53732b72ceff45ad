import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Circuit, type CircuitState, type Permit } from '#lib/resilience/breaker/circuit.ts'
import {
  anyOf,
  consecutive,
  sampling,
  slowness,
  type TripCondition,
} from '#lib/resilience/breaker/trip-condition.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OPEN_MS = 10_000

const circuitWith = (tripCondition: TripCondition = consecutive(3), slow: { slowCallMs?: number } = {}) => {
  const clock = new FakeClock()
  const states: CircuitState['name'][] = []
  const circuit = new Circuit({
    tripCondition,
    openMs: OPEN_MS,
    longestOpenMs: 40_000,
    probeMs: 5_000,
    ...slow,
    clock,
    random: () => 0,
    onChange: ({ name }) => states.push(name),
  })
  const permit = (): Permit => {
    const entered = circuit.enter()
    if (typeof entered === 'number') throw new Error(`closed to calls for ${entered} ms`)
    return entered
  }
  const fail = (times: number): void => {
    for (let time = 0; time < times; time += 1) permit().failed('NETWORK')
  }
  return { circuit, clock, states, permit, fail }
}

describe('a circuit', () => {
  it('opens after three failures in a row, and says for how long', () => {
    const { circuit, fail } = circuitWith()
    fail(2)
    expect(circuit.state.name).toBe('closed')
    fail(1)
    expect(circuit.enter()).toBe(OPEN_MS)
    expect(circuit.state).toMatchObject({ name: 'open', reason: expect.stringContaining('NETWORK') })
  })

  it('stays closed while successes come between', () => {
    const { circuit, fail, permit } = circuitWith()
    for (let round = 0; round < 10; round += 1) {
      fail(2)
      permit().succeeded()
    }
    expect(circuit.state.name).toBe('closed')
  })

  it('lets exactly one of a thousand callers through when it is time to probe', async () => {
    const { circuit, clock, fail } = circuitWith()
    fail(3)
    await clock.advance(OPEN_MS)
    const entered = Array.from({ length: 1_000 }, () => circuit.enter())
    expect(entered.filter(one => typeof one !== 'number')).toHaveLength(1)
  })

  it('closes when the probe succeeds', async () => {
    const { circuit, clock, fail, permit, states } = circuitWith()
    fail(3)
    await clock.advance(OPEN_MS)
    permit().succeeded()
    expect(states).toEqual(['open', 'half-open', 'closed'])
    fail(2)
    expect(circuit.state.name).toBe('closed')
  })

  it('stays open twice as long after each failed probe, up to its bound', async () => {
    const { circuit, clock, fail } = circuitWith()
    fail(3)
    const waits = []
    for (let probe = 0; probe < 4; probe += 1) {
      const wait = circuit.enter()
      waits.push(wait)
      await clock.advance(Number(wait))
      fail(1)
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 40_000])
  })

  it('gives the probe to the next one when its caller leaves', async () => {
    const { circuit, clock, fail, permit } = circuitWith()
    fail(3)
    await clock.advance(OPEN_MS)
    permit().released()
    expect(circuit.state).toMatchObject({ name: 'half-open', probing: false })
    permit().succeeded()
    expect(circuit.state.name).toBe('closed')
  })

  it('says to the callers that wait for a probe when it is decided at the latest', async () => {
    const { circuit, clock, fail, permit } = circuitWith()
    fail(3)
    await clock.advance(OPEN_MS)
    permit()
    await clock.advance(1_000)
    expect(circuit.enter()).toBe(4_000)
  })

  it('takes a probe that never begins to answer for a failed one', async () => {
    const { circuit, clock, fail, permit } = circuitWith()
    fail(3)
    await clock.advance(OPEN_MS)
    const hung = permit()
    await clock.advance(5_000)
    expect(circuit.state).toMatchObject({
      name: 'open',
      reason: expect.stringContaining('nothing came within 5 s'),
    })
    hung.succeeded()
    expect(circuit.enter()).toBe(2 * OPEN_MS)
    expect(clock.pending).toBe(0)
  })

  it('takes a long stream that has begun for well, and does not keep others waiting for its end', async () => {
    const { circuit, clock, fail, permit } = circuitWith()
    fail(3)
    await clock.advance(OPEN_MS)
    permit().began(100)
    expect(circuit.state.name).toBe('half-open')
    await clock.advance(5_000)
    expect(circuit.state.name).toBe('closed')
  })

  it.each(['succeeded', 'failed', 'released'] as const)(
    'leaves no timer after a probe that %s',
    async how => {
      const { clock, fail, permit } = circuitWith()
      fail(3)
      await clock.advance(OPEN_MS)
      permit()[how]('NETWORK')
      expect(clock.pending).toBe(0)
    },
  )

  it('opens when half of enough recent streams took too long to begin', () => {
    const slow = slowness(2_000, { failingShare: 0.5, leastCalls: 4, windowMs: 30_000 })
    const { circuit, permit } = circuitWith(anyOf(consecutive(3), slow))
    for (const tookMs of [100, 2_001, 2_000]) permit().began(tookMs)
    permit().began()
    expect(circuit.state.name).toBe('closed')
    permit().began(2_001)
    expect(circuit.state).toMatchObject({ name: 'open', reason: '2 of 4 calls took more than 2 s to begin' })
  })

  it('stays open when the probe is as slow as those it opened for', async () => {
    const { circuit, clock, fail, permit } = circuitWith(consecutive(3), { slowCallMs: 2_000 })
    fail(3)
    await clock.advance(OPEN_MS)
    permit().began(2_001)
    expect(circuit.enter()).toBe(2 * OPEN_MS)
  })

  it('describes itself: state, reason, next probe', async () => {
    const { circuit, clock, fail, permit } = circuitWith()
    expect(circuit.describe()).toEqual({ state: 'closed' })
    fail(3)
    await clock.advance(4_000)
    const reason = '3 failures in a row; the last: NETWORK'
    expect(circuit.describe()).toEqual({ state: 'open', reason, nextProbeInMs: 6_000 })
    await clock.advance(60_000)
    expect(circuit.describe()).toMatchObject({ state: 'open', nextProbeInMs: 0 })
    permit()
    expect(circuit.describe()).toEqual({ state: 'half-open', reason })
  })

  it('does not listen to calls that began before it opened', async () => {
    const { circuit, clock, fail, permit } = circuitWith()
    const [late, later] = [permit(), permit()]
    fail(3)
    late.succeeded()
    expect(circuit.state.name).toBe('open')
    await clock.advance(OPEN_MS)
    permit()
    later.failed('NETWORK')
    expect(circuit.state).toMatchObject({ name: 'half-open', probing: true })
  })

  it('opens when half of enough recent calls fail, though never many in a row', () => {
    const { circuit, permit } = circuitWith(
      anyOf(consecutive(3), sampling({ failingShare: 0.5, leastCalls: 20, windowMs: 30_000 })),
    )
    for (let pair = 0; pair < 9; pair += 1) {
      permit().succeeded()
      permit().failed('PROVIDER_ERROR')
    }
    permit().succeeded()
    expect(circuit.state.name).toBe('closed')
    permit().failed('PROVIDER_ERROR')
    expect(circuit.state).toMatchObject({ name: 'open', reason: expect.stringContaining('10 of 20') })
  })

  it('forgets what is older than its window', async () => {
    const { circuit, clock, permit } = circuitWith(
      sampling({ failingShare: 0.5, leastCalls: 4, windowMs: 30_000 }),
    )
    for (let call = 0; call < 3; call += 1) permit().failed('NETWORK')
    await clock.advance(31_000)
    permit().failed('NETWORK')
    expect(circuit.state.name).toBe('closed')
  })

  it('opens on another gateway’s word until then, and then probes for itself', async () => {
    const { circuit, clock, permit, states } = circuitWith()
    circuit.openUntil(clock.now() + 7_000, 'it failed elsewhere')
    expect(circuit.state).toMatchObject({ openedBy: 'another gateway', reason: 'it failed elsewhere' })
    expect(circuit.enter()).toBe(7_000)
    await clock.advance(7_000)
    permit().succeeded()
    expect(states).toEqual(['open', 'half-open', 'closed'])
  })

  it('keeps its own opinion against another gateway’s word, and takes none that is out of date', () => {
    const { circuit, clock, fail } = circuitWith()
    circuit.openUntil(clock.now(), 'too late')
    expect(circuit.state.name).toBe('closed')
    fail(3)
    circuit.openUntil(clock.now() + 60_000, 'it failed elsewhere')
    expect(circuit.enter()).toBe(OPEN_MS)
  })

  it('never has two probes under way, whatever happens in whatever order', async () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant('enter' as const) }),
      fc.record({ does: fc.constantFrom('succeeded', 'failed', 'released'), which: fc.nat(9) }),
      fc.record({ does: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 15_000 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const { circuit, clock } = circuitWith(consecutive(2))
        const permits: Permit[] = []
        for (const one of steps) {
          if (one.does === 'wait') await clock.advance((one as { ms: number }).ms)
          else if (one.does === 'enter') {
            const probing = circuit.state.name === 'half-open' && circuit.state.probing
            const entered = circuit.enter()
            if (typeof entered === 'number') continue
            expect(probing).toBe(false)
            permits.push(entered)
          } else {
            permits[(one as { which: number }).which]?.[one.does as 'succeeded' | 'failed' | 'released'](
              'NETWORK',
            )
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
