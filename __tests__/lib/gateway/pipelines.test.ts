import { describe, expect, it } from 'vitest'
import { Guesses } from '#lib/auth/guesses.ts'
import { compose, type Policy } from '#lib/compose.ts'
import { GatewayError } from '#lib/errors.ts'
import { chatPipeline, type PipelineDeps } from '#lib/gateway/pipelines.ts'
import type { Provider } from '#lib/llm/types.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { Circuit } from '#lib/resilience/breaker/circuit.ts'
import { circuitPerTarget } from '#lib/resilience/breaker/policy.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { Cooldowns } from '#lib/resilience/cooldowns.ts'
import { RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { batches, collect, newCall, replyOf, TARGET, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('compose', () => {
  it('runs the first policy outermost, and back in reverse', async () => {
    const trace: string[] = []
    const named =
      (name: string): Policy<number, number> =>
      async (input, next) => {
        trace.push(`${name} in`)
        const out = await next(input + 1)
        trace.push(`${name} out`)
        return out * 2
      }
    expect(await compose(named('a'), named('b'))(async input => input)(0)).toBe(8)
    expect(trace).toEqual(['a in', 'b in', 'b out', 'a out'])
  })
})

/** Parts that write down, in order, what was asked of each. */
const tracedParts = (trace: string[], provider: Partial<Provider> = {}): PipelineDeps => {
  const clock = new FakeClock()
  const counter = slidingWindow()
  const rate = { limit: 1, windowMs: 60_000 }
  return {
    clock,
    auth: {
      clock,
      requireApiKey: false,
      sessions: {
        issue: () => '',
        read: () => {
          trace.push('authenticate')
          return undefined
        },
      },
    },
    limits: {
      clock,
      rates: {
        chat: { anonymous: rate, guest: rate },
        upload: rate,
        batchItems: { anonymous: rate, guest: rate },
        api: rate,
      },
      counter: {
        take: (...taking) => {
          trace.push('limit')
          return counter.take(...taking)
        },
      },
    },
    headrooms: new RateHeadrooms(),
    prices: {
      priceOf: () => {
        trace.push('meter')
        return { input: 1, output: 1 }
      },
    },
    routes: {
      plan: () => {
        trace.push('route')
        return [TARGET]
      },
    },
    cache: undefined,
    admin: { token: undefined, guesses: new Guesses(clock), locksOut: true },
    fallbacks: { contextTokensOf: () => undefined, clock },
    hedges: undefined,
    retries: {
      most: 0,
      backoff: { baseMs: 250, longestMs: 8_000 },
      longestRetryAfterMs: 10_000,
      clock,
      random: () => 0,
    },
    circuitOf: circuitPerTarget(
      () =>
        new Circuit({
          tripCondition: consecutive(3),
          openMs: 1_000,
          longestOpenMs: 1_000,
          clock,
          random: () => 0,
          onChange: () => {},
        }),
    ),
    cooldowns: new Cooldowns({ longestMs: 300_000, refusedMs: 10_000, clock }),
    slots: { most: 10, mostWaiting: 10, waitMs: 1_000 },
    timeouts: { idleMs: 1_000, streamMs: 1_000 },
    providers: {
      clock,
      listener: { succeeded: () => trace.push('succeeded'), failed: () => trace.push('failed') },
      providers: new Map([
        [
          'fake',
          {
            id: 'fake',
            ask: async () => {
              trace.push('ask')
              return replyOf(batches(text('abcdef'), [{ type: 'finish', reason: 'stop' }]))
            },
            ...provider,
          },
        ],
      ]),
    },
  }
}

const guest = { client: { address: '192.0.2.1', session: 'any' } }

describe('the sentence', () => {
  it('is said in this order', async () => {
    const trace: string[] = []
    const call = newCall({ ...guest, maxResponseBytes: 4 })
    const reply = await chatPipeline(tracedParts(trace))(call)
    expect(trace).toEqual(['authenticate', 'limit', 'route', 'ask', 'meter'])
    expect(await collect(reply)).toEqual([
      ...text('abcd'),
      { type: 'finish', reason: 'length', truncated: true },
    ])
    expect(call.journal).toMatchObject({
      caller: 'anonymous',
      plan: [TARGET],
      attempts: [{ target: TARGET, endedAt: expect.any(Number) }],
      finishReason: 'length',
      limit: { remaining: 0 },
    })
  })

  it('ends at the limit: nobody is asked', async () => {
    const trace: string[] = []
    const answer = chatPipeline(tracedParts(trace))
    await collect(await answer(newCall(guest)))
    trace.length = 0
    await expect(answer(newCall(guest))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 60,
    })
    expect(trace).toEqual(['authenticate', 'limit'])
  })

  it('tells of a failure exactly once', async () => {
    const trace: string[] = []
    const failing = tracedParts(trace, { ask: () => Promise.reject(new GatewayError('PROVIDER_ERROR')) })
    await expect(chatPipeline(failing)(newCall(guest))).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
    expect(trace.filter(step => step === 'failed')).toHaveLength(1)
  })

  it('reads as a sentence: stack traces name the policies', async () => {
    const parts = tracedParts([], {
      ask: async () => {
        throw new GatewayError('PROVIDER_ERROR')
      },
    })
    Error.stackTraceLimit = 50
    const error = await chatPipeline(parts)(newCall(guest)).catch((thrown: Error) => thrown)
    for (const policy of [
      'meter',
      'truncate',
      'route',
      'fallback',
      'retry',
      'breaker',
      'bulkhead',
      'timeout',
      'ask',
    ])
      expect((error as Error).stack).toContain(policy)
  })
})
