import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, GatewayError } from '#lib/errors.ts'
import type { Call, Reply, Target } from '#lib/llm/types.ts'
import { beginAttempt } from '#lib/request-context.ts'
import { type Hedges, hedge } from '#lib/resilience/hedge.ts'
import { retry, retryBudgets } from '#lib/resilience/retry.ts'
import { batches, newCall, replyOf, TARGET, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OTHER: Target = { provider: 'fake', model: 'other', name: 'fake/other' }
const USUAL_MS = 100

/** What a target does with one attempt: after so many milliseconds it answers, or fails. */
type Move = Readonly<{ afterMs: number; fails?: ErrorCode }>

/** Targets that do as the moves say, attempt by attempt, and keep books of it. */
const upstream = (clock: FakeClock) => {
  const attempts: { target: Target | undefined; startedAt: number; aborted: boolean; left: boolean }[] = []
  let moves: readonly Move[] = []
  const ask = async (call: Call): Promise<Reply> => {
    const target = call.plan[0] ?? TARGET
    const move = moves[Math.min(attempts.length, moves.length - 1)] ?? { afterMs: 0 }
    const entry = { target, startedAt: clock.now(), aborted: false, left: false }
    attempts.push(entry)
    const attempt = beginAttempt(call, target, clock.now())
    try {
      await new Promise<void>((resolve, reject) => {
        const timer = clock.timer(move.afterMs, resolve)
        call.signal.addEventListener('abort', () => {
          entry.aborted = true
          timer.cancel()
          reject(call.signal.reason)
        })
      })
      if (move.fails) throw new GatewayError(move.fails, `failed after ${move.afterMs}`)
    } catch (error) {
      attempt.endedAt = clock.now()
      throw error
    }
    attempt.firstContentAt = clock.now()
    const events = batches(text('ok'), [{ type: 'finish', reason: 'stop' }])
    const leave = async () => {
      entry.left = true
      return { done: true as const, value: undefined }
    }
    return {
      ...replyOf({ [Symbol.asyncIterator]: () => ({ next: () => events.next(), return: leave }) }),
      head: { id: 'chat_1', target, cache: 'miss' },
      attempt,
    }
  }
  const does = (...next: readonly Move[]) => {
    attempts.length = 0
    moves = next
  }
  return { ask, does, attempts }
}

const setting = async (changes: Partial<Hedges> = {}) => {
  const clock = new FakeClock()
  const { ask, does, attempts } = upstream(clock)
  const usedBy = () => ({ inputTokens: 3, outputTokens: 0, estimated: true as const, costPicoUsd: 5 })
  const policy = hedge({ share: 1, usedBy, clock, ...changes })
  const again = retry(
    {
      most: 2,
      backoff: { baseMs: 10, longestMs: 20 },
      longestRetryAfterMs: 10_000,
      clock,
      random: () => 0.5,
    },
    retryBudgets(),
  )
  /** Starts a call as its first target is asked: with an attempt taken for it. */
  const start = (call: Call) => {
    call.attempts.take()
    return policy(call, one => again(one, ask))
  }
  /** Answers so many calls within the usual time, one after the other. */
  const usually = async (times: number) => {
    does({ afterMs: USUAL_MS })
    for (let call = 0; call < times; call += 1) {
      void start(newCall())
      await clock.advance(USUAL_MS)
    }
  }
  return { clock, does, attempts, start, usually }
}

const startedAfter = (attempts: readonly { startedAt: number }[]): number[] =>
  attempts.map(({ startedAt }) => startedAt - (attempts[0]?.startedAt ?? 0))

describe('a second attempt', () => {
  it('is made at the next target once the first takes longer than usual, and its answer is a stand-in’s', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(20)
    does({ afterMs: 5_000 }, { afterMs: 50 })
    const call = newCall({ plan: [TARGET, OTHER] })
    const reply = start(call)
    await clock.advance(USUAL_MS + 50)
    expect((await reply).head).toMatchObject({ target: OTHER, fallback: true })
    expect(startedAfter(attempts)).toEqual([0, USUAL_MS])
    expect(attempts.map(({ aborted }) => aborted)).toEqual([true, false])
    expect(call.journal.hedge).toEqual({
      result: 'won',
      usage: { inputTokens: 3, outputTokens: 0, estimated: true, costPicoUsd: 5 },
    })
    expect(clock.pending).toBe(0)
  })

  it('is made at the same target where no other follows it, and is no fallback', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(20)
    does({ afterMs: 5_000 }, { afterMs: 50 })
    const reply = start(newCall())
    await clock.advance(USUAL_MS + 50)
    expect((await reply).head.fallback).toBeUndefined()
    expect(attempts.map(({ target }) => target)).toEqual([TARGET, TARGET])
  })

  it('is aborted where the first one is ready after all', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(20)
    does({ afterMs: USUAL_MS + 10 }, { afterMs: 50 })
    const call = newCall({ plan: [TARGET, OTHER] })
    const reply = start(call)
    await clock.advance(USUAL_MS + 10)
    expect((await reply).head.target).toBe(TARGET)
    expect(attempts.map(({ aborted }) => aborted)).toEqual([false, true])
    expect(call.journal.hedge?.result).toBe('lost')
  })

  it('is not made before twenty answers were seen', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(19)
    does({ afterMs: 5_000 }, { afterMs: 50 })
    const reply = start(newCall())
    await clock.advance(5_000)
    await reply
    expect(attempts).toHaveLength(1)
  })

  it('is not made where the first one fails in time: that is for others to mend', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(20)
    does({ afterMs: 10, fails: 'INVALID_INPUT' })
    const failed = expect(start(newCall())).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    await clock.advance(USUAL_MS)
    await failed
    expect(attempts).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('reports the first one’s failure where both fail', async () => {
    const { clock, does, start, usually } = await setting()
    await usually(20)
    does({ afterMs: 300, fails: 'CONTENT_BLOCKED' }, { afterMs: 50, fails: 'INVALID_INPUT' })
    const call = newCall()
    const failed = expect(start(call)).rejects.toMatchObject({ code: 'CONTENT_BLOCKED' })
    await clock.advance(300)
    await failed
    expect(call.journal.hedge).toEqual({ result: 'failed' })
  })

  it('is waited for where the first one has failed meanwhile', async () => {
    const { clock, does, start, usually } = await setting()
    await usually(20)
    does({ afterMs: USUAL_MS + 10, fails: 'INVALID_INPUT' }, { afterMs: 500 })
    const reply = start(newCall())
    await clock.advance(USUAL_MS + 500)
    expect((await reply).attempt?.startedAt).toBe(clock.now() - 500)
  })

  it('is aborted together with the first one when the client leaves', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(20)
    does({ afterMs: 5_000 }, { afterMs: 5_000 })
    const client = new AbortController()
    const failed = expect(start(newCall({ signal: client.signal }))).rejects.toMatchObject({
      code: 'CLIENT_GONE',
    })
    await clock.advance(USUAL_MS + 1)
    client.abort(new GatewayError('CLIENT_GONE'))
    await failed
    expect(attempts.map(({ aborted }) => aborted)).toEqual([true, true])
    expect(clock.pending).toBe(0)
  })

  it('is given to a tenth of all calls where that is the share, however slow the others are', async () => {
    const { clock, does, attempts, start, usually } = await setting({ share: 0.1 })
    await usually(20)
    does({ afterMs: 1_000 })
    for (let call = 0; call < 6; call += 1) {
      void start(newCall())
      await clock.advance(1_000)
    }
    expect(attempts.length - 6).toBe(2)
  })

  it('is not made for what has become usual', async () => {
    const { clock, does, attempts, start, usually } = await setting()
    await usually(20)
    does({ afterMs: 1_000 })
    for (let call = 0; call < 100; call += 1) {
      void start(newCall())
      await clock.advance(1_000)
    }
    expect(attempts.length - 100).toBeLessThan(20)
  })
})

describe('a call with second attempts and retries', () => {
  const move = fc.record({
    afterMs: fc.integer({ min: 1, max: 400 }),
    fails: fc.option(fc.constantFrom<ErrorCode>('NETWORK', 'PROVIDER_ERROR', 'INVALID_INPUT'), {
      nil: undefined,
    }),
  })

  it('has at most four attempts and exactly one answer; everything else is aborted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { minLength: 1, maxLength: 6 }),
        fc.constantFrom([TARGET], [TARGET, OTHER], [TARGET, OTHER, OTHER]),
        async (moves, plan) => {
          const { clock, does, attempts, start, usually } = await setting()
          await usually(20)
          does(...(moves as Move[]))
          let settled = 0
          const call = newCall({ plan })
          const answered = start(call).then(
            reply => reply.attempt,
            () => undefined,
          )
          void answered.then(() => {
            settled += 1
          })
          await clock.advance(5_000)
          expect(settled).toBe(1)
          expect(attempts.length).toBeLessThanOrEqual(4)
          const winner = await answered
          const unended = call.attempts.made.filter(({ endedAt }) => endedAt === undefined)
          expect(unended.filter(one => one !== winner)).toEqual([])
          expect(clock.pending).toBe(0)
        },
      ),
      { numRuns: 200 },
    )
  })
})
