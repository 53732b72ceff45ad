import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { memoryKeyValue } from '#lib/storage/memory.ts'
import { redisKeyValue } from '#lib/storage/redis/key-value.ts'
import type { KeyValue } from '#lib/storage/types.ts'
import { newRedis } from '../support/redis-clients.ts'

const TTL_MS = 600_000
const PREFIX = 'test:cache:'

const redis = newRedis()
const memory = () => memoryKeyValue(1_000_000, systemClock)

const STORES: readonly (readonly [string, () => Promise<KeyValue>])[] = [
  ['in memory', async () => memory()],
  ['in Redis, over a socket', async () => redisKeyValue(await redis.overSocket(), memory(), PREFIX)],
  ['in Redis, over REST', async () => redisKeyValue(await redis.overRest(), memory(), PREFIX)],
]

describe.each(STORES)('a key-value store %s', (_, create) => {
  let store: KeyValue
  beforeAll(async () => {
    store = await create()
  })

  it('finds nothing where nothing was kept', async () => {
    expect(await store.get(randomUUID())).toBeUndefined()
  })

  it.each([
    ['an empty text', ''],
    ['JSON', '{"a":[1,null,"x"],"b":"\\n"}'],
    ['what looks like a number', '00123'],
    ['what looks like null', 'null'],
    ['every script and an emoji', 'naïve — 日本語 עברית 👩‍👩‍👧'],
    ['control characters', 'a\u0000b\r\nc\u2028'],
    ['much', 'ä'.repeat(100_000)],
  ])('gives back %s as it was', async (__, value) => {
    const key = randomUUID()
    await store.set(key, value, TTL_MS)
    expect(await store.get(key)).toBe(value)
  })

  it('replaces what was there', async () => {
    const key = randomUUID()
    await store.set(key, 'old', TTL_MS)
    await store.set(key, 'new', TTL_MS)
    expect(await store.get(key)).toBe('new')
  })

  it('sets a value where there is none, and gives back the one that is there', async () => {
    const key = randomUUID()
    const values = ['a', 'b', 'c', 'd']
    const found = await Promise.all(values.map(value => store.setIfAbsent(key, value, TTL_MS)))
    expect(new Set(found).size).toBe(1)
    expect(values).toContain(found[0])
    expect(await store.get(key)).toBe(found[0])
    expect(await store.setIfAbsent(key, 'e', TTL_MS)).toBe(found[0])
  })

  it('sets a value again once the former one’s time is over', async () => {
    const key = randomUUID()
    await store.setIfAbsent(key, 'former', 20.5)
    await expect
      .poll(() => store.setIfAbsent(key, 'new', TTL_MS), { interval: 5, timeout: 20_000 })
      .toBe('new')
  })

  it('deletes, also what is not there', async () => {
    const key = randomUUID()
    await store.set(key, 'x', TTL_MS)
    await store.delete(key)
    await store.delete(key)
    expect(await store.get(key)).toBeUndefined()
  })

  it('forgets when the time is over, also a fraction of a millisecond', async () => {
    const key = randomUUID()
    await store.set(key, 'x', 20.5)
    await expect.poll(() => store.get(key), { interval: 5, timeout: 20_000 }).toBeUndefined()
  })
})

describe('a key-value store in Redis', () => {
  it('is the same for all gateways', async () => {
    const [one, other] = [
      redisKeyValue(await redis.overSocket(), memory(), PREFIX),
      redisKeyValue(await redis.overRest(), memory(), PREFIX),
    ]
    const key = randomUUID()
    await one.set(key, 'shared', TTL_MS)
    expect(await other.get(key)).toBe('shared')
    await other.delete(key)
    expect(await one.get(key)).toBeUndefined()
  })

  it('keeps its keys under a prefix, each for its time', async () => {
    const store = redisKeyValue(await redis.overSocket(), memory(), PREFIX)
    const key = randomUUID()
    await store.set(key, 'x', TTL_MS)
    expect(await redis.server.do('KEYS', `*${key}`)).toEqual([PREFIX + key])
    expect(Number(await redis.server.do('PTTL', PREFIX + key))).toBeGreaterThan(TTL_MS / 2)
  })

  it.each([
    ['is no answer of ours', async (key: string) => redis.server.do('SET', key, '{"text":')],
    ['is empty', async (key: string) => redis.server.do('SET', key, '')],
    ['has been cut', async (key: string) => redis.server.do('SETRANGE', key, 12, '\u0000')],
  ])('F19: a value that %s is not found, and deleted', async (_, poison) => {
    const store = redisKeyValue(await redis.overSocket(), memory(), PREFIX)
    const key = randomUUID()
    await store.set(key, 'a value that is long enough to be cut', TTL_MS)
    await poison(PREFIX + key)
    expect(await store.get(key)).toBeUndefined()
    expect(await redis.server.do('EXISTS', PREFIX + key)).toBe(0)
  })

  it('F19: a damaged value is replaced where a value is set if absent', async () => {
    const store = redisKeyValue(await redis.overSocket(), memory(), PREFIX)
    const key = randomUUID()
    await redis.server.do('SET', PREFIX + key, '{"text":')
    expect(await store.setIfAbsent(key, 'new', TTL_MS)).toBe('new')
    expect(await store.get(key)).toBe('new')
  })

  it('F14: another key’s value is not taken for this one’s', async () => {
    const store = redisKeyValue(await redis.overSocket(), memory(), PREFIX)
    const [mine, yours] = [randomUUID(), randomUUID()]
    await store.set(yours, 'yours', TTL_MS)
    await redis.server.do('COPY', PREFIX + yours, PREFIX + mine)
    expect(await store.get(mine)).toBeUndefined()
    expect(await store.get(yours)).toBe('yours')
  })
})
