import { describe, expect, it } from 'vitest'
import type { CountedKey, KeyLimits } from '#lib/caller.ts'
import type { Endpoint } from '#lib/llm/passthrough.ts'
import { countInputs } from '#lib/llm/passthrough-size.ts'
import { estimatedInputTokens } from '#lib/llm/providers/shared/usage.ts'
import type { Call, Usage } from '#lib/llm/types.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { keyConcurrency, keyTokens } from '#lib/rate-limit/key-limits.ts'
import { limit } from '#lib/rate-limit/policy.ts'
import { slidingWindow } from '#lib/rate-limit/sliding-window.ts'
import { localSlots } from '#lib/rate-limit/slots.ts'
import { beginAttempt, type RequestContext, type Surface } from '#lib/request-context.ts'
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

describe('what is reserved of the tokens a minute', () => {
  const clock = new FakeClock()
  const limits = { tokensPerMinute: 100_000 }
  const reservedBy = async (changes: Partial<Call>) => {
    const caller = { kind: 'key', id: 'k', name: 'k', role: 'member', limits, address: '' } as const
    const call = newCall({ caller, messages: [], maxOutputTokens: undefined, ...changes })
    const policy = keyTokens({ counter: slidingWindow(), clock, estimate: estimatedInputTokens })
    const reply = { ...replyOf(batches()), usage: new Promise<Usage>(() => {}) }
    await policy(call, async () => reply)
    return 100_000 - (call.journal.tokenLimit?.remaining ?? 0)
  }
  const passing = (endpoint: Endpoint, fields: object) => {
    const members = Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)] as const)
    const inputs = atOnce(countInputs(endpoint, members))
    return reservedBy({
      passthrough: { endpoint, namesModel: true, body: { kind: 'json', members }, inputs },
    })
  }

  it('of endpoints beside chat is their input alone, four bytes a token', async () => {
    const inputs = Array(40).fill('x'.repeat(400))
    const embedded = await passing('embeddings', { input: inputs })
    expect(embedded).toBeGreaterThanOrEqual(4_000)
    expect(embedded).toBeLessThan(4_100)
    expect(await passing('moderations', { input: 'x'.repeat(398) })).toBe(100)
    expect(await passing('rerank', { query: 'x', documents: ['x'.repeat(393)] })).toBe(100)
    expect(await passing('audio/speech', { input: 'x'.repeat(398) })).toBe(100)
    expect(await passing('images/generations', { prompt: 'x'.repeat(398) })).toBe(100)
  })

  it('of completions contains the output of every answer to every prompt', async () => {
    const fields = { prompt: ['a', 'b', 'c'], max_tokens: 50, n: 2 }
    const input = await passing('embeddings', fields)
    expect(await passing('completions', fields)).toBe(input + 3 * 2 * 50)
  })

  it('of a recording is by its bytes, and of an image to be edited what one usually is', async () => {
    const upload = (endpoint: Endpoint, bytes: number) => {
      const file = { name: 'file', fileName: 'a', type: 'audio/mpeg', path: '/nowhere', bytes }
      return reservedBy({
        passthrough: { endpoint, namesModel: true, body: { kind: 'form', parts: [file] }, inputs: 1 },
      })
    }
    expect(await upload('audio/transcriptions', 400_000)).toBe(1_000)
    expect(await upload('images/edits', 400_000)).toBe(1_000)
  })

  it('of a chat contains tools, their calls, images and every answer', async () => {
    expect(await reservedBy({})).toBe(1_001)
    const tools = [{ name: 'weather', description: 'x'.repeat(4_000) }]
    expect(await reservedBy({ parameters: { tools } })).toBeGreaterThan(2_000)
    const called = { id: 'a', name: 'weather', arguments: 'x'.repeat(4_000) }
    const messages = [{ role: 'assistant', content: '', toolCalls: [called] }] as const
    expect(await reservedBy({ messages })).toBeGreaterThan(2_000)
    const content = [{ type: 'image', url: 'https://pictures.example/1.png' }] as const
    expect(await reservedBy({ messages: [{ role: 'user', content }] })).toBe(2_000)
    expect(await reservedBy({ parameters: { choices: 3 } })).toBe(3_001)
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
      beginAttempt(call, TARGET, clock.now())
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
