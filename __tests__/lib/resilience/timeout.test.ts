import { describe, expect, it } from 'vitest'
import { GatewayError } from '#lib/errors.ts'
import type { Reply, ReplyEvent } from '#lib/llm/types.ts'
import { timeout } from '#lib/resilience/timeout.ts'
import { newCall, replyOf } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const LIMITS = { firstContentMs: Number.POSITIVE_INFINITY, idleMs: 1_000, streamMs: 5_000 }

/** A provider that answers when told to, and fails with the signal's reason when that aborts. */
const upstream = () => {
  const first = Promise.withResolvers<Reply>()
  let signal: AbortSignal | undefined
  return {
    answer: (reply: Reply) => first.resolve(reply),
    aborted: () => signal?.reason,
    ask: (call: { signal: AbortSignal }) => {
      signal = call.signal
      call.signal.addEventListener('abort', () => first.reject(call.signal.reason))
      return first.promise
    },
  }
}

const paced = (clock: FakeClock, gaps: readonly number[]) =>
  (async function* (): AsyncGenerator<readonly ReplyEvent[]> {
    for (const gap of gaps) {
      await new Promise<void>(resolve => clock.timer(gap, resolve))
      yield [{ type: 'text-delta', text: 'x' }]
    }
    yield [{ type: 'finish', reason: 'stop' }]
  })()

describe('timeout', () => {
  it('aborts the upstream when the first content does not come in time', async () => {
    const clock = new FakeClock()
    const { ask, aborted } = upstream()
    const answer = timeout(LIMITS, clock)(
      newCall({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 1_000 }),
      ask,
    )
    const outcome = expect(answer).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining("didn't start answering"),
    })
    await clock.advance(999)
    expect(aborted()).toBeUndefined()
    await clock.advance(1)
    await outcome
    expect(aborted()).toBeInstanceOf(GatewayError)
  })

  it('bounds the first content of each attempt by its own limit, where that is shorter', async () => {
    const clock = new FakeClock()
    const policy = timeout({ ...LIMITS, firstContentMs: 300 }, clock)
    const { ask, aborted } = upstream()
    const call = newCall({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 1_000 })
    const outcome = expect(policy(call, ask)).rejects.toMatchObject({
      code: 'TIMEOUT',
      waitedFor: 'first content',
      message: expect.stringContaining("didn't start answering within 0.3 s"),
    })
    await clock.advance(299)
    expect(aborted()).toBeUndefined()
    await clock.advance(1)
    await outcome
  })

  it('gives a whole answer all the time there is', async () => {
    const clock = new FakeClock()
    const policy = timeout({ ...LIMITS, firstContentMs: 300 }, clock)
    const { ask, aborted } = upstream()
    const call = newCall({ startedAt: clock.now(), deadlineAt: clock.now() + 1_000 })
    const outcome = expect(policy(call, ask)).rejects.toMatchObject({
      code: 'TIMEOUT',
      waitedFor: 'whole answer',
    })
    await clock.advance(999)
    expect(aborted()).toBeUndefined()
    await clock.advance(1)
    await outcome
    expect(clock.pending).toBe(0)
  })

  it('bounds the silence between two pieces, not the whole stream', async () => {
    const clock = new FakeClock()
    const { ask, answer, aborted } = upstream()
    const replying = timeout(LIMITS, clock)(
      newCall({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 1_000 }),
      ask,
    )
    answer(replyOf(paced(clock, [900, 900, 900, 1_200])))
    const events = (await replying).events[Symbol.asyncIterator]()
    for (let piece = 0; piece < 3; piece += 1) {
      const next = events.next()
      await clock.advance(900)
      await next
      expect(aborted()).toBeUndefined()
    }
    void events.next()
    await clock.advance(1_000)
    expect(aborted()).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('The model went silent for'),
    })
  })

  it('does not count the time in which the client is slow to read', async () => {
    const clock = new FakeClock()
    const { ask, answer, aborted } = upstream()
    const replying = timeout(LIMITS, clock)(
      newCall({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 1_000 }),
      ask,
    )
    answer(replyOf(paced(clock, [0, 0])))
    const events = (await replying).events[Symbol.asyncIterator]()
    await clock.advance(4_000)
    const next = events.next()
    await clock.advance(0)
    await next
    expect(aborted()).toBeUndefined()
  })

  it('bounds even the liveliest stream', async () => {
    const clock = new FakeClock()
    const { ask, answer, aborted } = upstream()
    const replying = timeout(LIMITS, clock)(
      newCall({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 1_000 }),
      ask,
    )
    answer(replyOf(paced(clock, Array(100).fill(500))))
    const events = (await replying).events[Symbol.asyncIterator]()
    for (let piece = 0; piece < 10; piece += 1) {
      void events.next()
      await clock.advance(500)
    }
    void events.next()
    await clock.advance(500)
    expect(aborted()).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining("wasn't finished within"),
    })
  })

  it('bounds a whole stream whose client does not read, or reads slowly', async () => {
    for (const pulls of [0, 4]) {
      const clock = new FakeClock()
      const { ask, answer, aborted } = upstream()
      const replying = timeout(LIMITS, clock)(
        newCall({ stream: true, startedAt: clock.now(), deadlineAt: clock.now() + 1_000 }),
        ask,
      )
      answer(replyOf(paced(clock, Array(100).fill(0))))
      const events = (await replying).events[Symbol.asyncIterator]()
      for (let pulled = 0; pulled < pulls; pulled += 1) {
        const next = events.next()
        await clock.advance(0)
        await next
        await clock.advance(1_200)
      }
      await clock.advance(5_000 - pulls * 1_200 - 1)
      expect(aborted()).toBeUndefined()
      await clock.advance(1)
      expect(aborted()).toMatchObject({ code: 'TIMEOUT', waitedFor: 'whole answer' })
      expect(clock.pending).toBe(0)
    }
  })

  it('leaves no timer, however the answer ends', async () => {
    const clock = new FakeClock()
    const policy = timeout(LIMITS, clock)
    const complete = await policy(newCall({ stream: true }), async () => replyOf(paced(clock, [])))
    for await (const _ of complete.events);
    const unread = await policy(newCall({ stream: false }), async () => replyOf(paced(clock, [])))
    await unread.events[Symbol.asyncIterator]().return?.()
    await policy(newCall(), () => Promise.reject(new GatewayError('PROVIDER_ERROR'))).catch(() => {})
    expect(clock.pending).toBe(0)
  })
})
