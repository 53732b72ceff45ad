import { describe, expect, it } from 'vitest'
import { type CacheSettings, cacheRules } from '#lib/cache/rules.ts'
import { cacheSetting } from '../../support/cache-setting.ts'

const DEFAULTS = { ttlSeconds: 600, staleWhileRevalidateSeconds: 30, staleIfErrorSeconds: 60 }
const USUAL = { ttlMs: 600_000, staleWhileRevalidateMs: 30_000, staleIfErrorMs: 60_000, tags: [] }

const resolverOf = (settings: CacheSettings) => {
  const { ofModel, usual } = cacheRules(settings, DEFAULTS)
  return ofModel ?? (() => usual)
}
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
    const treatmentOf = resolverOf(settings)
    const seconds = (model: string) => (treatmentOf(model)?.ttlMs ?? 0) / 1000
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
