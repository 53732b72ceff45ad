import { beforeEach, describe, expect, it, vi } from 'vitest'
import { OutputSizes } from '#lib/budgets/output-sizes.ts'
import { compose, type Handler, type Policy } from '#lib/compose.ts'
import { GatewayError } from '#lib/errors.ts'
import {
  adminAdmission,
  admission,
  memberAdmission,
  type PipelineDeps,
  pipelines,
} from '#lib/gateway/pipelines.ts'
import type { Provider } from '#lib/llm/types.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { localSlots } from '#lib/rate-limit/slots.ts'
import { Circuit, circuitPerTarget } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { bulkheads } from '#lib/resilience/bulkhead.ts'
import { RateHeadrooms } from '#lib/resilience/defer-background.ts'
import { Cooldowns } from '#lib/resilience/per-target.ts'
import { retryBudgets } from '#lib/resilience/retry.ts'
import { Streams } from '#lib/resume/streams.ts'
import { Busy, LatencyEwma } from '#lib/routing/target-stats.ts'
import { batches, collect, newCall, replyOf, TARGET, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { allGuardrails } from '../../support/guardrails.ts'
import { pricesWith } from '../../support/prices.ts'
import { noTools } from '../../support/tools.ts'

/** The names of the policies and handlers that calls have entered, in order. */
const entered = vi.hoisted((): string[] => [])
beforeEach(() => void entered.splice(0))

/** Composes as usual, and records the name of each function when a call enters it. */
vi.mock('#lib/compose.ts', async importOriginal => {
  const original = await importOriginal<typeof import('#lib/compose.ts')>()
  const recorded =
    <Args extends readonly unknown[], Out>(run: (...args: Args) => Out) =>
    (...args: Args): Out => {
      entered.push(run.name)
      return run(...args)
    }
  const composeRecorded =
    <In, Out>(...policies: readonly Policy<In, Out>[]) =>
    (innermost: Handler<In, Out>): Handler<In, Out> =>
      original.compose<In, Out>(...policies.map(recorded))(recorded(innermost))
  return { ...original, compose: composeRecorded }
})

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
      acceptsPlaceholders: () => false,
      verify: async () => ({ id: 'key_1', name: 'one', role: 'admin' }),
      adminOf: async () => undefined,
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
        chat: { anonymous: rate, guest: rate, key: rate },
        images: rate,
        upload: rate,
        kv: rate,
        evaluation: rate,
        batchItems: { anonymous: rate, guest: rate, key: rate },
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
    prices: pricesWith({
      priceOf: () => {
        trace.push('meter')
        return { input: 1, output: 1 }
      },
    }),
    routes: {
      plan: () => {
        trace.push('route')
        return [TARGET]
      },
      imageChain: [],
      aliases: new Map(),
      hasEndpoint: () => true,
      stats: { latency: new LatencyEwma(clock), busy: new Busy() },
    },
    budgets: {
      budgets: {
        assertNotSpent: async () => {},
        reserve: () => Promise.reject(new Error('no budget applies')),
        settle: async () => {},
      },
      budgetsOf: () => [],
      worstCases: { of: () => undefined, counted: async () => undefined },
      outputSizes: new OutputSizes(),
      allowsUnpriced: false,
      mayClamp: false,
      onUnexpectedCost: () => {},
      clock,
    },
    tools: noTools(clock),
    guardrails: allGuardrails(clock),
    streams: new Streams({
      clock,
      newId: () => 'chat_1',
      graceMs: 1_000,
      keptMs: 1_000,
      most: 1,
      mostBytes: 1_000,
    }),
    cache: undefined,
    roles: { hasAdmins: async () => true },
    batchItems: { activeById: async () => undefined },
    concurrency: { slots: localSlots(), clock },
    tokens: { counter, clock, estimate: () => 1 },
    modelScopes: { targetOf: () => undefined, targetsOfAlias: () => undefined },
    fallbacks: { contextTokensOf: () => undefined, on: undefined, clock },
    hedges: { share: 0.1, usedBy: () => ({ inputTokens: 0, outputTokens: 0 }), clock },
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
    retryBudgetOf: retryBudgets(),
    bulkheadOf: bulkheads({ most: 10, mostWaiting: 10, waitMs: 1_000 }, clock),
    timeouts: { firstContentMs: 1_000, idleMs: 1_000, streamMs: 1_000 },
    providers: {
      clock,
      listener: { succeeded: () => trace.push('succeeded'), failed: () => trace.push('failed') },
      priced: usage => usage,
      onAttemptEnd: () => {},
      drain: {
        isOn: () => false,
        mostMs: 0,
        open: () => ({ signal: new AbortController().signal, close: () => {} }),
        clock,
      },
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
const withKey = { client: { address: '192.0.2.1', apiKey: 'any' } }

describe('the order of the policies', () => {
  it('of a chat call', async () => {
    await pipelines(tracedParts([])).chat(newCall(guest))
    expect(entered).toEqual([
      'record',
      'modelScope',
      'spentOut',
      'keyConcurrency',
      'keyTokens',
      'spend',
      'resume',
      'guardInput',
      'systemPrompt',
      'meter',
      'cache',
      'guardOutput',
      'truncate',
      'answerSchema',
      'tools',
      'route',
      'fallbacksInScope',
      'allowedTargets',
      'fallback',
      'hedge',
      'retry',
      'reserve',
      'breaker',
      'bulkhead',
      'timeout',
      'ask',
    ])
  })

  it('of a chat call without hedging: as if there were no such policy', async () => {
    await pipelines({ ...tracedParts([]), hedges: undefined }).chat(newCall(guest))
    expect(entered.slice(18, 22)).toEqual(['fallback', 'retry', 'reserve', 'breaker'])
  })

  it('of a chat call without budgets and streams to resume: as if there were no such policies', async () => {
    await pipelines({ ...tracedParts([]), budgets: undefined, streams: undefined }).chat(newCall(guest))
    expect(entered).not.toContain('spentOut')
    expect(entered).not.toContain('resume')
    expect(entered).not.toContain('reserve')
    expect(entered).toContain('breaker')
  })

  it('of an item of a batch: admitted with its job, no retry within an attempt, live calls first', async () => {
    await pipelines(tracedParts([])).batch(newCall(guest))
    expect(entered).toEqual([
      'record',
      'asKeyOfBatch',
      'modelScope',
      'spentOut',
      'keyConcurrency',
      'keyTokens',
      'guardInput',
      'systemPrompt',
      'meter',
      'cache',
      'guardOutput',
      'truncate',
      'answerSchema',
      'tools',
      'route',
      'fallbacksInScope',
      'allowedTargets',
      'deferBackground',
      'fallback',
      'reserve',
      'breaker',
      'bulkhead',
      'timeout',
      'ask',
    ])
  })

  it('of a refresh: recorded and metered, around what the call would go through below the cache', async () => {
    const belowTheCache = async () => replyOf(batches(text('again')))
    await pipelines(tracedParts([])).refresh(belowTheCache)(newCall(guest))
    expect(entered).toEqual(['record', 'meter', 'belowTheCache'])
  })

  it.each([
    ['of a request, before its body is read', admission, ['authenticate', 'limit']],
    ['of requests with a key of any role', memberAdmission, ['authenticate', 'members', 'limit']],
    ['of requests of the admin API', adminAdmission, ['switchedOn', 'authenticate', 'admins', 'limit']],
  ])('%s', async (_, pipeline, order) => {
    await pipeline(tracedParts([]))(newCall(withKey)).catch(() => {})
    expect(entered.slice(0, order.length)).toEqual(order)
    expect(entered.length).toBeLessThanOrEqual(order.length + 1)
  })
})

describe('a chat call', () => {
  it('asks each dependency in this order', async () => {
    const trace: string[] = []
    const call = newCall({ ...guest, maxResponseBytes: 4 })
    const reply = await pipelines(tracedParts(trace)).chat(call)
    expect(trace).toEqual(['route', 'ask', 'meter'])
    expect(await collect(reply)).toEqual([
      ...text('abcd'),
      { type: 'finish', reason: 'length', truncated: true },
    ])
    expect(call.journal).toMatchObject({
      plan: [TARGET],
      attempts: [{ target: TARGET, endedAt: expect.any(Number) }],
      finishReason: 'length',
    })
  })

  it('counts against the limit, from which a request that makes no call is released', async () => {
    const trace: string[] = []
    const parts = tracedParts(trace)
    const admit = admission(parts)
    const unused = await admit(newCall(guest))
    expect(unused.journal).toMatchObject({ caller: 'anonymous', limit: { remaining: 0 } })
    await unused.reservation?.release()
    expect(unused.journal.limit).toMatchObject({ remaining: 1 })
    const call = newCall({ ...guest, ...(await admit(newCall(guest))) })
    await collect(await pipelines(parts).chat(call))
    await call.reservation?.release()
    trace.length = 0
    await expect(admit(newCall(guest))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterSeconds: 60,
    })
    expect(trace).toEqual(['authenticate', 'limit'])
  })

  it.each([
    ['that is refused before an attempt costs nothing', 'route', 1],
    ['that fails after an attempt counts', 'ask', 0],
  ])('%s', async (_, failing, remaining) => {
    const parts = tracedParts([], { ask: () => Promise.reject(new GatewayError('PROVIDER_ERROR')) })
    const plan = (): never => {
      throw new GatewayError('INVALID_INPUT')
    }
    const routes = failing === 'route' ? { ...parts.routes, plan } : parts.routes
    const admitted = await admission(parts)(newCall(guest))
    const call = newCall({ ...guest, ...admitted })
    await expect(pipelines({ ...parts, routes }).chat(call)).rejects.toBeInstanceOf(GatewayError)
    await call.reservation?.release()
    expect(call.journal.limit).toMatchObject({ remaining })
  })

  it('tells of a failure exactly once', async () => {
    const trace: string[] = []
    const failing = tracedParts(trace, { ask: () => Promise.reject(new GatewayError('PROVIDER_ERROR')) })
    await expect(pipelines(failing).chat(newCall(guest))).rejects.toMatchObject({ code: 'PROVIDER_ERROR' })
    expect(trace.filter(step => step === 'failed')).toHaveLength(1)
  })

  it('stack traces name every policy that waits for the reply, the innermost first', async () => {
    const parts = tracedParts([], {
      ask: async () => {
        throw new GatewayError('PROVIDER_ERROR')
      },
    })
    Error.stackTraceLimit = 50
    const error = await pipelines(parts)
      .chat(newCall(guest))
      .catch((thrown: Error) => thrown)
    // Function names only: the paths of the files contain the same words.
    const functions = [...String((error as Error).stack).matchAll(/^ +at (?:async )?([\w.]+) \(/gm)]
    const names = functions.map(([, name]) => name)
    expect(names.slice(0, names.indexOf('record') + 1).filter(name => !name?.startsWith('process.'))).toEqual(
      [
        'Object.ask',
        'attempted',
        'ask',
        'timeout',
        'bulkhead',
        'breaker',
        'retry',
        'hedge',
        'fallback',
        'allowedTargets',
        'fallbacksInScope',
        'route',
        'tools',
        'answerSchema',
        'truncate',
        'guardOutput',
        'cache',
        'meter',
        'systemPrompt',
        'guardInput',
        'spend',
        'keyTokens',
        'keyConcurrency',
        'modelScope',
        'record',
      ],
    )
  })
})
