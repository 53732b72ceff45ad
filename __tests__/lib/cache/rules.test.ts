import { describe, expect, it } from 'vitest'
import { cacheAdmin } from '#lib/cache/admin.ts'
import { type CacheRule, type CacheSettings, cacheRules } from '#lib/cache/rules.ts'
import { CACHE_KINDS, type CacheKind } from '#lib/cache-kinds.ts'
import { cacheSetting } from '../../support/cache-setting.ts'

const DEFAULTS = { ttlSeconds: 600, staleWhileRevalidateSeconds: 30, staleIfErrorSeconds: 60 }
const USUAL = { ttlMs: 600_000, staleWhileRevalidateMs: 30_000, staleIfErrorMs: 60_000, tags: [] }

const resolverOf = (settings: CacheSettings) => cacheRules(settings, DEFAULTS)
const of = (settings: CacheSettings, model: string) => resolverOf(settings)(model)

describe('rules', () => {
  it('leave every model to the defaults where there are none', () => {
    expect(of({}, 'gpt-4o')).toEqual(USUAL)
  })

  it('hold for the first pattern that fits the model asked for, whatever follows', () => {
    const settings: CacheSettings = {
      rules: [
        { model: 'gpt-4o-mini', ttlSeconds: 1 },
        { model: 'gpt-*', ttlSeconds: 2 },
        { model: '*', ttlSeconds: 3 },
        { model: 'gpt-4', ttlSeconds: 4 },
      ],
    }
    const resolve = resolverOf(settings)
    const seconds = (model: string) => (resolve(model)?.ttlMs ?? 0) / 1000
    const models = ['gpt-4o-mini', 'gpt-4o', 'gpt-4', 'fast']
    expect(models.map(seconds)).toEqual([1, 2, 2, 3])
    // Asked again, from memory.
    expect(models.map(seconds)).toEqual([1, 2, 2, 3])
  })

  it('take what they do not say from the file’s own settings, then from the defaults', () => {
    const settings: CacheSettings = { ttlSeconds: 5, rules: [{ model: 'a', staleIfErrorSeconds: 0 }] }
    expect(of(settings, 'a')).toEqual({ ...USUAL, ttlMs: 5_000, staleIfErrorMs: 0 })
    expect(of(settings, 'b')).toEqual({ ...USUAL, ttlMs: 5_000 })
  })

  it('give their own labels, and those of no other rule', () => {
    const settings: CacheSettings = {
      rules: [
        { model: 'a', tags: ['one'] },
        { model: '*', tags: ['two'] },
      ],
    }
    expect(of(settings, 'a')?.tags).toEqual(['one'])
    expect(of(settings, 'b')?.tags).toEqual(['two'])
  })

  it('switch a model off, or on where all others are off', () => {
    const off: CacheSettings = { rules: [{ model: 'mock/*', enabled: false }] }
    expect(of(off, 'mock/echo')).toBeUndefined()
    expect(of(off, 'gpt-4o')).toEqual(USUAL)
    const on: CacheSettings = { enabled: false, rules: [{ model: 'gpt-4o', enabled: true }] }
    expect(of(on, 'gpt-4o')).toEqual(USUAL)
    expect(of(on, 'mock/echo')).toBeUndefined()
  })

  it('go by the name asked for: an alias has rules of its own', async () => {
    const settings: CacheSettings = { rules: [{ model: 'fast', enabled: false }] }
    const { answered } = cacheSetting({ settings })
    await answered({ model: 'fast' })
    expect((await answered({ model: 'fast' })).cache).toBe('bypass')
    await answered()
    expect((await answered()).cache).toBe('hit')
  })

  it('decide for how long an answer is repeated', async () => {
    const settings: CacheSettings = { rules: [{ model: 'fake/*', ttlSeconds: 2 }] }
    const { answered, clock } = cacheSetting({ settings })
    await answered()
    await clock.advance(2_000)
    expect((await answered()).cache).toBe('hit')
    await clock.advance(1)
    expect((await answered()).cache).toBe('miss')
  })
})

describe('kinds of answers', () => {
  const seconds = (settings: CacheSettings, model: string, kind?: CacheKind) =>
    (cacheRules(settings, DEFAULTS)(model, kind)?.ttlMs ?? 0) / 1000

  it('have their own times: evaluation 1 h, generation 24 h, tool result 5 min, intent classification 10 min', () => {
    expect(CACHE_KINDS.map(kind => [kind, seconds({}, 'gpt-4o', kind)])).toEqual([
      ['evaluation', 3_600],
      ['generation', 86_400],
      ['tool-result', 300],
      ['intent-classification', 600],
    ])
    expect(seconds({ ttlSeconds: 5 }, 'gpt-4o', 'evaluation')).toBe(3_600)
  })

  it('give their answers their name as a tag, besides those of the rule', () => {
    const rules = [{ model: 'gpt-*', tags: ['team:a'] }]
    expect(cacheRules({ rules }, DEFAULTS)('gpt-4o', 'evaluation')?.tags).toEqual(['team:a', 'evaluation'])
    expect(cacheRules({ rules }, DEFAULTS)('gpt-4o')?.tags).toEqual(['team:a'])
  })

  it('are given to the models of a rule, whose own time counts where it has one', () => {
    const rules: CacheRule[] = [
      { model: 'small', kind: 'intent-classification' },
      { model: 'tiny', kind: 'intent-classification', ttlSeconds: 7 },
    ]
    const resolve = cacheRules({ ttlSeconds: 5, rules }, DEFAULTS)
    expect(resolve('small')).toEqual({ ...USUAL, ttlMs: 600_000, tags: ['intent-classification'] })
    expect(resolve('tiny')).toEqual({ ...USUAL, ttlMs: 7_000, tags: ['intent-classification'] })
    expect(resolve('other')).toEqual({ ...USUAL, ttlMs: 5_000 })
  })

  it('of a call count before that of a rule, and before the time that a rule gives another kind', () => {
    const rules: CacheRule[] = [{ model: '*', kind: 'generation', ttlSeconds: 7, staleIfErrorSeconds: 9 }]
    expect(cacheRules({ rules }, DEFAULTS)('gpt-4o', 'tool-result')).toEqual({
      ...USUAL,
      ttlMs: 300_000,
      staleIfErrorMs: 9_000,
      tags: ['tool-result'],
    })
  })

  it('take the settings that the file has for them', () => {
    const settings: CacheSettings = {
      kinds: { evaluation: { ttlSeconds: 60, staleIfErrorSeconds: 1 }, generation: { enabled: false } },
    }
    const resolve = cacheRules(settings, DEFAULTS)
    expect(resolve('gpt-4o', 'evaluation')).toMatchObject({ ttlMs: 60_000, staleIfErrorMs: 1_000 })
    expect(resolve('gpt-4o', 'generation')).toBeUndefined()
    expect(resolve('gpt-4o')).toEqual(USUAL)
  })

  it('are not cached where a rule switches their model off', () => {
    const settings: CacheSettings = { rules: [{ model: 'mock/*', enabled: false }] }
    expect(cacheRules(settings, DEFAULTS)('mock/echo', 'evaluation')).toBeUndefined()
  })

  it('decide for how long an answer is repeated to the call that names one', async () => {
    const { answered, clock } = cacheSetting()
    await answered({ cacheKind: 'tool-result' })
    await clock.advance(300_000)
    expect((await answered({ cacheKind: 'tool-result' })).cache).toBe('hit')
    await clock.advance(1)
    expect((await answered({ cacheKind: 'tool-result' })).cache).toBe('miss')
  })

  it.each([
    ['its name', { kind: 'evaluation' }, 'miss'],
    ['a pattern of names', { kind: 'eval*' }, 'miss'],
    ['its tag', { tag: 'evaluation' }, 'miss'],
    ['the name of another kind', { kind: 'generation' }, 'hit'],
    ['a pattern of others', { kind: '*-*' }, 'hit'],
  ])('are invalidated by %s', async (_, what, cache) => {
    const { answered, generations, counts } = cacheSetting()
    const admin = cacheAdmin({ replies: { generations, counts }, isOn: () => true, holds: undefined })
    await answered({ cacheKind: 'evaluation' })
    await admin.invalidate(what)
    expect((await answered({ cacheKind: 'evaluation' })).cache).toBe(cache)
    expect(counts.invalidations).toBe(1)
  })
})
