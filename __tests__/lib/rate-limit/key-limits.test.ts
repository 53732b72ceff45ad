import { describe, expect, it } from 'vitest'
import type { Usage } from '#lib/llm/types.ts'
import { keyConcurrency, keyTokens } from '#lib/rate-limit/key-limits.ts'
import { limit } from '#lib/rate-limit/policy.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { localSlots } from '#lib/rate-limit/slots.ts'
import type { CountedKey, KeyLimits, RequestContext, Surface } from '#lib/request-context.ts'
import { batches, collect, newCall, replyOf, TARGET } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const LIMIT = 1_000
const MINUTE_MS = 60_000

describe('a key that a key made', () => {
  const clock = new FakeClock()
  const callOf = (id: string, limits: KeyLimits, makers: readonly CountedKey[]) =>
    newCall({
      caller: { kind: 'key', id, name: id, role: 'member', limits, makers, address: '192.0.2.1' },
      maxOutputTokens: 100,
    })
  const answer = async () => replyOf(batches())

  it('counts against the tokens a minute of both, and gives both back what it did not use', async () => {
    const counter = slidingWindow()
    const policy = keyTokens({ counter, clock, estimate: () => 100 })
    const maker = { id: 'maker', limits: { tokensPerMinute: 500 } }
    const usage = Promise.withResolvers<Usage>()
    const ask = (id: string) =>
      policy(callOf(id, { tokensPerMinute: 300 }, [maker]), async () => ({
        ...(await answer()),
        usage: usage.promise,
      }))
    await ask('one')
    await ask('two')
    const left = async (key: string, limit: number) =>
      (await counter.take([{ key, limit, windowMs: MINUTE_MS }], 0, clock.now()))[0]?.remaining
    expect([await left('tokens:key:one', 300), await left('tokens:key:maker', 500)]).toEqual([100, 100])
    await expect(ask('three')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    usage.resolve({ inputTokens: 0, outputTokens: 0 })
    await clock.advance(0)
    expect([await left('tokens:key:one', 300), await left('tokens:key:maker', 500)]).toEqual([300, 500])
  })

  it('takes a place in progress of both, or of none', async () => {
    const slots = localSlots()
    const policy = keyConcurrency({ slots, clock })
    const makers = [{ id: 'maker', limits: { concurrency: 2 } }]
    const ask = (id: string) => policy(callOf(id, { concurrency: 2 }, makers), answer)
    const first = await ask('one')
    await ask('two')
    await expect(ask('three')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    expect(await slots.enter('three', 1)).toBeDefined()
    await collect(first)
    await ask('one')
    await expect(ask('one')).rejects.toMatchObject({ code: 'RATE_LIMITED' })
  })

  it.each<[string, KeyLimits | undefined]>([
    ['its own limit', { requestsPerMinute: 3 }],
    ['the limit of all keys', undefined],
  ])('counts against the requests a minute of the other by %s', async (_, limits) => {
    const rate = { limit: 3, windowMs: MINUTE_MS }
    const byCaller = { anonymous: rate, guest: rate, key: rate }
    const rates = {
      chat: byCaller,
      batchItems: byCaller,
      images: rate,
      upload: rate,
      kv: rate,
      evaluation: rate,
      api: rate,
    }
    const policy = limit<RequestContext, string>({ rates, counter: slidingWindow(), clock })
    const ask = (id: string, surface: Surface) =>
      policy(
        { ...callOf(id, limits ?? {}, id === 'maker' ? [] : [{ id: 'maker', limits }]), surface },
        async () => 'answered',
      )
    for (const surface of ['chat', 'api'] as const) {
      for (const id of ['one', 'two', 'maker']) expect(await ask(id, surface)).toBe('answered')
      for (const id of ['three', 'maker'])
        await expect(ask(id, surface)).rejects.toMatchObject({ code: 'RATE_LIMITED' })
    }
  })
})

describe('the tokens a minute of a key', () => {
  const clock = new FakeClock()
  const counter = slidingWindow()
  const policy = keyTokens({ counter, clock, estimate: () => 100 })
  const callOf = (id: string) =>
    newCall({
      caller: {
        kind: 'key',
        id,
        name: id,
        role: 'member',
        limits: { tokensPerMinute: LIMIT },
        address: '192.0.2.1',
      },
      maxOutputTokens: 500,
    })
  const remaining = async (id: string) => {
    const bucket = { key: `tokens:key:${id}`, limit: LIMIT, windowMs: MINUTE_MS }
    return (await counter.take([bucket], 0, clock.now()))[0]?.remaining
  }
  /** Begins a call, which ends with its usage when the returned function is called. */
  const begin = async (id: string) => {
    const call = callOf(id)
    const usage = Promise.withResolvers<Usage>()
    await policy(call, async () => {
      call.attempts.begin({ target: TARGET, startedAt: clock.now() })
      return { ...replyOf(batches()), usage: usage.promise }
    })
    return async () => {
      usage.resolve({ inputTokens: 100, outputTokens: 0 })
      await clock.advance(0)
    }
  }

  it('are given back as far as they were not used', async () => {
    const end = await begin('short')
    expect(await remaining('short')).toBe(400)
    await end()
    expect(await remaining('short')).toBe(900)
  })

  it('of other calls are not given back by a stream that is longer than the window', async () => {
    const endLong = await begin('long')
    await clock.advance(MINUTE_MS)
    await begin('long')
    expect(await remaining('long')).toBe(400)
    await endLong()
    expect(await remaining('long')).toBe(400)
  })
})
