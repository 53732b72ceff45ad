import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import type { Reply } from '#lib/llm/types.ts'
import { breaker, Circuit, circuitPerTarget } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { Cooldowns } from '#lib/resilience/per-target.ts'
import { batches, collect, newCall, replyOf, TARGET, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const setting = () => {
  const clock = new FakeClock()
  const circuitOf = circuitPerTarget(
    () =>
      new Circuit({
        tripCondition: consecutive(3),
        openMs: 10_000,
        longestOpenMs: 10_000,
        probeMs: 5_000,
        clock,
        random: () => 0,
        onChange: () => {},
      }),
  )
  const policy = breaker(circuitOf, new Cooldowns({ longestMs: 1, refusedMs: 1, clock }))
  const fail = () =>
    policy(newCall(), () => Promise.reject(new GatewayError('NETWORK'))).catch(error => error.code)
  const open = async () => {
    for (let call = 0; call < 3; call += 1) await fail()
    await clock.advance(10_000)
  }
  return { clock, policy, circuit: circuitOf(TARGET), fail, open }
}

const complete = async (): Promise<Reply> =>
  replyOf(batches(text('ok'), [{ type: 'finish', reason: 'stop' }]))

const untilLeft =
  () =>
  ({ signal }: { signal: AbortSignal }): Promise<Reply> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describe('breaker', () => {
  it('gives the probe to the next caller when its own leaves, and neither opens nor closes for it', async () => {
    const { clock, policy, circuit, open } = setting()
    await open()
    const client = new AbortController()
    const probing = policy(newCall({ signal: client.signal }), untilLeft()).catch(error => error.code)
    expect(circuit.state).toMatchObject({ name: 'half-open', probing: true })
    client.abort(new GatewayError('CLIENT_GONE'))
    expect(await probing).toBe('CLIENT_GONE')
    expect(circuit.state).toMatchObject({ name: 'half-open', probing: false })
    expect(clock.pending).toBe(0)
    await collect(await policy(newCall(), complete))
    expect(circuit.state.name).toBe('closed')
  })

  it('turns the others away at once while a probe is under way, and says until when', async () => {
    const { policy, open } = setting()
    await open()
    void policy(newCall(), untilLeft())
    await expect(policy(newCall(), complete)).rejects.toMatchObject({
      code: 'MODEL_UNAVAILABLE',
      retryAfterSeconds: 5,
    })
  })

  it('lets another probe through after one that hung', async () => {
    const { clock, policy, circuit, open } = setting()
    await open()
    void policy(newCall(), untilLeft())
    await clock.advance(5_000)
    expect(circuit.state.name).toBe('open')
    await clock.advance(10_000)
    await collect(await policy(newCall(), complete))
    expect(circuit.state.name).toBe('closed')
  })

  it('does not take a stream that its reader leaves for a success or a failure', async () => {
    const { policy, circuit, open } = setting()
    await open()
    const reply = await policy(newCall({ stream: true }), complete)
    await reply.events[Symbol.asyncIterator]().return?.()
    expect(circuit.state).toMatchObject({ name: 'half-open', probing: false })
  })

  it('does not open for a request that the upstream refuses', async () => {
    const { policy, circuit } = setting()
    const refused = new GatewayError('PROVIDER_ERROR', 'conflict', { refused: 'request' })
    for (let call = 0; call < 3; call += 1)
      await expect(policy(newCall(), () => Promise.reject(refused))).rejects.toBe(refused)
    expect(circuit.state.name).toBe('closed')
  })

  it('opens for failures of which the upstream says that they are not to be tried again', async () => {
    const { policy, circuit } = setting()
    const failed = new GatewayError('PROVIDER_ERROR', 'broken', { retryable: false, unwell: true })
    for (let call = 0; call < 3; call += 1)
      await expect(policy(newCall(), () => Promise.reject(failed))).rejects.toBe(failed)
    expect(circuit.state.name).toBe('open')
  })
})
