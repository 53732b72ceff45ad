import { describe, expect, it } from 'vitest'
import type { Invalidation } from '#lib/cache/generations.ts'
import type { CacheSettings } from '#lib/cache/rules.ts'
import { GatewayError } from '#lib/errors.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { ANSWER, cacheSetting, FINISH, TTL_MS } from '../../support/cache-setting.ts'
import { collect, newCall, text } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const OTHER_ANSWER = [...text('other'), FINISH]
const TAGGED = { cacheTags: ['docs'] }

describe('an invalidation', () => {
  it.each<[string, Invalidation]>([
    ['its tag', { tag: 'docs' }],
    ['its model', { model: 'fake/model' }],
    ['a pattern of its model', { pattern: 'fake/*' }],
    ['everything', { all: true }],
  ])('reaches an answer by %s', async (_, what) => {
    const { answered, generations } = cacheSetting()
    await answered(TAGGED)
    expect((await answered(TAGGED)).cache).toBe('hit')
    await generations.invalidate(what)
    expect((await answered(TAGGED)).cache).toBe('miss')
    expect((await answered(TAGGED)).cache).toBe('hit')
  })

  it.each<[string, Invalidation]>([
    ['another tag', { tag: 'news' }],
    ['a tag that only begins alike', { tag: 'doc' }],
    ['another model', { model: 'fake/mode' }],
    ['a pattern of other models', { pattern: 'other/*' }],
    ['a model of its tag’s name', { model: 'docs' }],
    ['a tag of its model’s name', { tag: 'fake/model' }],
  ])('by %s leaves it as it is', async (_, what) => {
    const { answered, generations } = cacheSetting()
    await answered(TAGGED)
    await generations.invalidate(what)
    expect((await answered(TAGGED)).cache).toBe('hit')
  })

  it('by the model that answered reaches what was asked for by an alias', async () => {
    const { answered, generations } = cacheSetting()
    await answered({ model: 'fast' })
    expect((await answered({ model: 'fast' })).cache).toBe('hit')
    await generations.invalidate({ model: 'fake/model' })
    expect((await answered({ model: 'fast' })).cache).toBe('miss')
    await generations.invalidate({ model: 'fast' })
    expect((await answered({ model: 'fast' })).cache).toBe('miss')
  })

  it('reaches an answer by the tag of a caller that found it, too', async () => {
    const { answered, generations } = cacheSetting()
    await answered()
    expect((await answered(TAGGED)).cache).toBe('hit')
    await generations.invalidate({ tag: 'docs' })
    expect((await answered()).cache).toBe('miss')
  })

  it('reaches an answer by the tag of a caller that read it along', async () => {
    const { ask, answer, answered, generations } = cacheSetting()
    const replies = [await ask(), await ask(TAGGED)]
    answer(...ANSWER)
    await Promise.all(replies.map(collect))
    expect((await answered()).cache).toBe('hit')
    await generations.invalidate({ tag: 'docs' })
    expect((await answered()).cache).toBe('miss')
  })

  it('reaches an answer by the tag that its model’s rule gives it', async () => {
    const settings: CacheSettings = { rules: [{ model: 'fake/*', tags: ['team:a'] }] }
    const { answered, generations } = cacheSetting({ settings })
    await answered()
    await generations.invalidate({ tag: 'team:a' })
    expect((await answered()).cache).toBe('miss')
  })

  it('reaches, by the tag of the old answer, the one that was fetched in its place', async () => {
    const { clock, ask, answer, answered, generations } = cacheSetting({
      settings: { staleWhileRevalidateSeconds: 60 },
    })
    await answered(TAGGED)
    await clock.advance(TTL_MS + 1)
    await ask()
    answer(...OTHER_ANSWER)
    await clock.advance(0)
    expect(await answered()).toEqual({ cache: 'hit', events: OTHER_ANSWER })
    await generations.invalidate({ tag: 'docs' })
    expect((await answered(TAGGED)).cache).toBe('miss')
  })

  it('is not outlived by an answer that was being asked for', async () => {
    const { ask, answer, answered, generations } = cacheSetting()
    const reply = await ask(TAGGED)
    await generations.invalidate({ tag: 'docs' })
    answer(...ANSWER)
    expect(await collect(reply)).toEqual(ANSWER)
    expect((await answered(TAGGED, OTHER_ANSWER)).cache).toBe('miss')
    expect(await answered(TAGGED)).toEqual({ cache: 'hit', events: OTHER_ANSWER })
  })

  it('lets no caller read along with what was asked before it', async () => {
    const { ask, calls, generations } = cacheSetting()
    await ask()
    await generations.invalidate({ all: true })
    expect((await ask()).head.cache).toBe('miss')
    expect(calls).toHaveLength(2)
  })

  it('is not outlived by an answer that was being fetched while a stale one was served', async () => {
    const { clock, ask, calls, answered, generations } = cacheSetting({
      settings: { staleWhileRevalidateSeconds: 60 },
    })
    await answered()
    await clock.advance(TTL_MS + 1)
    await ask()
    await generations.invalidate({ all: true })
    calls[1]?.answer(...ANSWER)
    await clock.advance(0)
    expect((await answered({}, OTHER_ANSWER)).cache).toBe('miss')
    expect((await answered()).events).toEqual(OTHER_ANSWER)
  })

  it('leaves no old answer to stand in for a failure that was on its way', async () => {
    const { clock, answered, generations, policy } = cacheSetting({ settings: { staleIfErrorSeconds: 60 } })
    await answered(TAGGED)
    await clock.advance(TTL_MS + 1)
    const reply = policy(newCall(), async () => {
      await generations.invalidate({ tag: 'docs' })
      throw new GatewayError('NETWORK')
    })
    await expect(reply).rejects.toMatchObject({ code: 'NETWORK' })
  })
})

describe('gateways on one store', () => {
  const two = () => {
    const clock = new FakeClock()
    const store = memoryKeyValue(1_000_000, clock)
    return { clock, store, here: cacheSetting({ clock, store }), there: cacheSetting({ clock, store }) }
  }

  it('give each other’s answers, and see each other’s invalidations within a second', async () => {
    const { clock, here, there } = two()
    await here.answered()
    expect((await there.answered()).cache).toBe('hit')
    await here.generations.invalidate({ all: true })
    await clock.advance(1_000)
    expect((await there.answered()).cache).toBe('miss')
  })

  it('forget all rather than give what was invalidated, when the store loses what it knew of that', async () => {
    const { clock, store, here, there } = two()
    await here.answered()
    await here.generations.invalidate({ tag: 'docs' })
    await store.delete('answers:generation')
    await clock.advance(1_000)
    expect((await there.answered()).cache).toBe('miss')
  })

  it('begin with the same generation when both begin in the same moment', async () => {
    const { here, there } = two()
    const both = await Promise.all([here.generations.refresh(), there.generations.refresh()])
    expect(both[0].epoch).toBe(both[1].epoch)
  })

  it('keep both of two invalidations at the same moment', async () => {
    const { clock, here, there } = two()
    await here.answered({ cacheTags: ['a'] })
    await here.answered({ model: 'fake/other', cacheTags: ['b'] })
    await there.generations.refresh()
    await Promise.all([here.generations.invalidate({ tag: 'a' }), there.generations.invalidate({ tag: 'b' })])
    await clock.advance(3_000)
    for (const gateway of [here, there]) {
      const { tokens } = await gateway.generations.refresh()
      expect([...tokens.keys()].toSorted()).toEqual(['tag a', 'tag b'])
    }
    expect((await there.answered({ cacheTags: ['a'] })).cache).toBe('miss')
    expect((await here.answered({ model: 'fake/other' })).cache).toBe('miss')
  })

  it('ask the provider while the store is out of order', async () => {
    const broken = async () => {
      throw new Error('no store')
    }
    const { answered } = cacheSetting({
      store: { get: broken, set: broken, setIfAbsent: broken, delete: broken },
    })
    expect((await answered()).cache).toBe('bypass')
  })
})
