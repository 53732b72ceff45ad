import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Invalidation } from '#lib/cache/generation.ts'
import { cacheKey } from '#lib/cache/key.ts'
import { treatments } from '#lib/cache/rules.ts'
import type { Call } from '#lib/llm/types.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { ANSWER, cacheSetting } from '../../support/cache-setting.ts'
import { collect, newCall } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('invalidation', () => {
  it.each<[string, Invalidation, Partial<Call>]>([
    ['its tag', { tag: 'news' }, { cacheTags: ['news', 'de'] }],
    ['its model', { model: 'fake/model' }, { model: 'fake/model' }],
    ['a pattern of its model', { pattern: 'fake/*' }, { model: 'fake/model' }],
    ['everything', { all: true }, {}],
  ])('by %s makes an answer forgotten', async (_, what, call) => {
    const { answered, generations } = cacheSetting()
    await answered(call)
    expect((await answered(call)).cache).toBe('hit')
    await generations.invalidate(what)
    expect((await answered(call)).cache).toBe('miss')
    expect((await answered(call)).cache).toBe('hit')
  })

  it.each<[string, Invalidation]>([
    ['another tag', { tag: 'olds' }],
    ['another model', { model: 'fake/other' }],
    ['a pattern that does not fit', { pattern: 'other/*' }],
  ])('by %s leaves it alone', async (_, what) => {
    const { answered, generations } = cacheSetting()
    const call = { model: 'fake/model', cacheTags: ['news'] }
    await answered(call)
    await generations.invalidate(what)
    expect((await answered(call)).cache).toBe('hit')
  })

  it('reaches an answer that is on its way', async () => {
    const { ask, answer, answered, generations } = cacheSetting()
    const reply = await ask({ cacheTags: ['news'] })
    await generations.invalidate({ tag: 'news' })
    answer(...ANSWER)
    expect(await collect(reply)).toEqual(ANSWER)
    expect((await answered({ cacheTags: ['news'] })).cache).toBe('miss')
  })

  it('reaches an answer by the tags of whoever found it later', async () => {
    const { answered, generations } = cacheSetting()
    await answered()
    expect((await answered({ cacheTags: ['late'] })).cache).toBe('hit')
    await generations.invalidate({ tag: 'late' })
    expect((await answered()).cache).toBe('miss')
  })

  it('is seen by another gateway on the same store within a second', async () => {
    const clock = new FakeClock()
    const store = memoryKeyValue(1_000_000, clock)
    const [one, other] = [cacheSetting({ clock, store }), cacheSetting({ clock, store })]
    await one.answered()
    expect((await other.answered()).cache).toBe('hit')
    await one.generations.invalidate({ all: true })
    await clock.advance(1_000)
    expect((await other.answered()).cache).toBe('miss')
  })

  it('is not undone when the store loses what was invalidated', async () => {
    const clock = new FakeClock()
    const store = memoryKeyValue(1_000_000, clock)
    const { answered, generations } = cacheSetting({ clock, store })
    await answered({ cacheTags: ['news'] })
    await generations.invalidate({ tag: 'news' })
    await store.delete('answers:generation')
    await clock.advance(1_000)
    expect((await answered({ cacheTags: ['news'] })).cache).toBe('miss')
  })
})

describe('rules', () => {
  const defaults = { enabled: true, ttlSeconds: 600, staleIfErrorSeconds: 5 }

  it('hold by the first pattern that fits; what a rule leaves out is as for all', () => {
    const of = treatments(
      {
        ttlSeconds: 60,
        rules: [
          { model: 'gpt-4o*', enabled: false },
          { model: 'gpt-*', ttlSeconds: 5, tags: ['gpt'] },
          { model: 'gpt-4', ttlSeconds: 1 },
        ],
      },
      defaults,
    )
    expect(of('gpt-4o-mini')).toBeUndefined()
    expect(of('gpt-4')).toEqual({
      ttlMs: 5_000,
      staleWhileRevalidateMs: 0,
      staleIfErrorMs: 5_000,
      tags: ['gpt'],
    })
    expect(of('other')).toEqual({ ttlMs: 60_000, staleWhileRevalidateMs: 0, staleIfErrorMs: 5_000, tags: [] })
  })

  it('can keep the answers of some models where those of all others are not', () => {
    const of = treatments({ enabled: false, rules: [{ model: 'mock/*', enabled: true }] }, defaults)
    expect(of('gpt-4o')).toBeUndefined()
    expect(of('mock/echo')?.ttlMs).toBe(600_000)
  })
})

describe('the key of a question', () => {
  const words = fc.string({ unit: 'grapheme', maxLength: 12 })
  const question = fc.record({
    model: words,
    messages: fc.array(
      fc.record({
        role: fc.constantFrom('user' as const, 'system' as const, 'assistant' as const),
        content: words,
      }),
      { minLength: 1, maxLength: 3 },
    ),
    temperature: fc.option(fc.double({ min: 0, max: 2, noNaN: true }), { nil: undefined }),
    maxOutputTokens: fc.integer({ min: 1, max: 9 }),
  })
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

  it('is that of what shapes the answer, and of nothing else', () => {
    fc.assert(
      fc.property(question, question, (one, other) => {
        const [a, b] = [newCall(one), newCall({ ...other, stream: true, requestId: 'x', cacheTags: ['t'] })]
        const [{ temperature: s = null, ...restOne }, { temperature: t = null, ...restOther }] = [one, other]
        const isSame = same([s, restOne], [t, restOther])
        expect(cacheKey(a) === cacheKey(b)).toBe(isSame)
        expect(
          cacheKey(newCall({ ...one, stream: true, requestId: 'y', deadlineAt: 5, fallback: false })),
        ).toBe(cacheKey(a))
      }),
      { numRuns: 500 },
    )
  })

  it('does not depend on the order in which a message names its fields', () => {
    const turned = newCall({ messages: [{ content: 'Hello', role: 'user' }] })
    expect(cacheKey(turned)).toBe(cacheKey(newCall({ messages: [{ role: 'user', content: 'Hello' }] })))
  })

  it('is never another caller’s', () => {
    const caller = fc.oneof(
      fc.record({
        kind: fc.constant('anonymous' as const),
        address: words.filter(text => text !== 'unknown'),
      }),
      fc.record({ kind: fc.constant('guest' as const), id: words, address: words }),
    )
    const identity = (one: { kind: string; id?: string; address: string }) =>
      one.kind === 'guest' ? ['guest', one.id] : ['address', one.address]
    fc.assert(
      fc.property(caller, caller, (one, other) => {
        const isSame = same(identity(one), identity(other))
        expect(cacheKey(newCall({ caller: one })) === cacheKey(newCall({ caller: other }))).toBe(isSame)
      }),
      { numRuns: 500 },
    )
  })
})
