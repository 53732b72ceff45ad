import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import { deferBackground, RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { batches, newCall, replyOf, TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OTHER = { ...TARGET, model: 'other' }

const setting = () => {
  const clock = new FakeClock()
  const startedAt = clock.now()
  const allowances = new RateHeadrooms()
  const policy = deferBackground(allowances, clock)
  const reply = replyOf(batches())
  const begun: number[] = []
  const call = (changes: Parameters<typeof newCall>[0] = {}) =>
    policy(newCall({ background: true, ...changes }), async () => {
      begun.push(clock.now() - startedAt)
      return reply
    })
  const saw = (share: number, resetInMs: number, target = TARGET) =>
    allowances.record(target, { share, resetAt: clock.now() + resetInMs })
  return { clock, call, saw, begun, reply }
}

describe('background work', () => {
  it('goes on at once where the provider has said nothing of its limits', async () => {
    const { clock, call, reply } = setting()
    expect(await call()).toBe(reply)
    expect(clock.pending).toBe(0)
  })

  it.each([1, 0.5, 0.1])('goes on at once where %d of a limit is left', async share => {
    const { call, saw, begun } = setting()
    saw(share, 10_000)
    await call()
    expect(begun).toEqual([0])
  })

  it.each([0.099, 0])('waits until a limit is full again of which %d is left', async share => {
    const { clock, call, saw, begun, reply } = setting()
    saw(share, 10_000)
    const answer = call()
    await clock.advance(9_999)
    expect(begun).toEqual([])
    await clock.advance(1)
    expect(begun).toEqual([10_000])
    expect(await answer).toBe(reply)
    expect(clock.pending).toBe(0)
  })

  it('waits a minute at most, however far away that is', async () => {
    const { clock, call, saw, begun } = setting()
    saw(0, 86_400_000)
    void call()
    await clock.advance(59_999)
    expect(begun).toEqual([])
    await clock.advance(1)
    expect(begun).toEqual([60_000])
  })

  it('goes on at once where the limit is full again by now', async () => {
    const { clock, call, saw, begun } = setting()
    saw(0, 10_000)
    await clock.advance(10_000)
    await call()
    expect(begun).toEqual([10_000])
  })

  it('goes by what was said last', async () => {
    const { call, saw, begun } = setting()
    saw(0, 10_000)
    saw(0.9, 10_000)
    await call()
    expect(begun).toEqual([0])
  })

  it('is deferred for the target that it would ask first, and for no other', async () => {
    const { clock, call, saw, begun } = setting()
    saw(0, 10_000, OTHER)
    await call({ plan: [TARGET, OTHER] })
    await call({ plan: [] })
    expect(begun).toEqual([0, 0])
    void call({ plan: [OTHER, TARGET] })
    await clock.advance(0)
    expect(begun).toEqual([0, 0])
  })

  it('does not wait where the wait would outlast the call, and says when to come back', async () => {
    const { clock, call, saw, begun } = setting()
    saw(0, 9_500)
    await expect(call({ deadlineAt: clock.now() + 9_500 })).rejects.toMatchObject({
      code: 'PROVIDER_RATE_LIMIT',
      retryAfterSeconds: 10,
    })
    expect(begun).toEqual([])
    expect(clock.pending).toBe(0)
    void call({ deadlineAt: clock.now() + 9_501 })
    await clock.advance(9_500)
    expect(begun).toEqual([9_500])
  })

  it('waits no longer once its caller has left, and never begins then', async () => {
    const { clock, call, saw, begun } = setting()
    saw(0, 10_000)
    const client = new AbortController()
    const left = expect(call({ signal: client.signal })).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await clock.advance(1_000)
    client.abort(new GatewayError('SHUTTING_DOWN'))
    await left
    await clock.advance(60_000)
    expect(begun).toEqual([])
    expect(clock.pending).toBe(0)
  })
})
