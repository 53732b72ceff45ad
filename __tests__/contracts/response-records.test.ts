import { beforeEach, describe, expect, it } from 'vitest'
import { responseRecords } from '#lib/responses/records.ts'
import type { NewResponse, ResponseRecords } from '#lib/responses/types.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'

const databases = newDatabases()

const ADA = 'guest ada'
const BOB = 'guest bob'
const NOW = 1_000_000
const LATER = NOW + 60_000

const response = (id: string, changes: Partial<NewResponse> = {}): NewResponse => ({
  id,
  owner: ADA,
  createdAt: NOW,
  expiresAt: LATER,
  input: '["Grüße 🎉"]',
  response: `{"id":"${id}"}`,
  itemIds: [`msg_${id}`],
  contextIds: [],
  mostCharacters: 1_000_000,
  ...changes,
})

describe.each(DATABASES)('stored answers in %s', kind => {
  let stored: ResponseRecords
  beforeEach(async () => {
    const records = await databases.openNew(kind)
    stored = responseRecords(records)
  })

  const idsOf = (found: readonly { id: string }[]) => found.map(({ id }) => id)

  it('are found by their owner alone, as they were stored', async () => {
    await stored.store(response('one', { previousId: 'zero', provider: 'vendor' }))
    expect(await stored.find(ADA, 'one', NOW)).toEqual({
      id: 'one',
      owner: ADA,
      previousId: 'zero',
      provider: 'vendor',
      createdAt: NOW,
      input: '["Grüße 🎉"]',
      response: '{"id":"one"}',
    })
    expect(await stored.find(BOB, 'one', NOW)).toBeUndefined()
    expect(await stored.chain(BOB, 'one', NOW)).toEqual([])
    expect(await stored.holding(BOB, ['msg_one'], NOW)).toEqual([])
    expect(await stored.remove(BOB, 'one')).toBe(false)
  })

  it('of two owners may have the same id', async () => {
    await stored.store(response('same', { response: '{"of":"ada"}' }))
    await stored.store(response('same', { response: '{"of":"bob"}', owner: BOB }))
    expect((await stored.find(ADA, 'same', NOW))?.response).toBe('{"of":"ada"}')
    expect((await stored.find(BOB, 'same', NOW))?.response).toBe('{"of":"bob"}')
  })

  it('are replaced by a later one of the same id', async () => {
    await stored.store(response('one'))
    await stored.store(response('one', { response: '{"new":true}', provider: 'vendor' }))
    expect(await stored.find(ADA, 'one', NOW)).toMatchObject({ response: '{"new":true}', provider: 'vendor' })
  })

  it('come with all that they continue, the oldest first', async () => {
    await stored.store(response('1', { previousId: 'elsewhere' }))
    await stored.store(response('2', { previousId: '1' }))
    await stored.store(response('3', { previousId: '2' }))
    await stored.store(response('other', { previousId: '1' }))
    await stored.store(response('2', { owner: BOB }))
    expect(idsOf(await stored.chain(ADA, '3', NOW))).toEqual(['1', '2', '3'])
    expect(await stored.chain(ADA, 'elsewhere', NOW)).toEqual([])
  })

  it('are found by their items', async () => {
    await stored.store(response('1', { itemIds: ['msg_a', 'rs_a'] }))
    await stored.store(response('2', { itemIds: ['msg_b'] }))
    await stored.store(response('3', { itemIds: [] }))
    expect(idsOf(await stored.holding(ADA, ['msg_b', 'msg_unknown'], NOW))).toEqual(['2'])
    expect(idsOf(await stored.holding(ADA, ['rs_a', 'msg_a', 'msg_b'], NOW)).toSorted()).toEqual(['1', '2'])
  })

  it('are absent from their time on, and then removed', async () => {
    await stored.store(response('1', { expiresAt: NOW + 10 }))
    await stored.store(response('2', { expiresAt: NOW + 30, previousId: '1' }))
    expect(idsOf(await stored.chain(ADA, '2', NOW + 9))).toEqual(['1', '2'])
    expect(await stored.find(ADA, '1', NOW + 10)).toBeUndefined()
    expect(await stored.holding(ADA, ['msg_1'], NOW + 10)).toEqual([])
    expect(idsOf(await stored.chain(ADA, '2', NOW + 10))).toEqual(['2'])
    await stored.removeExpired(NOW + 10)
    expect(await stored.find(ADA, '1', NOW)).toBeUndefined()
    expect(await stored.remove(ADA, '1')).toBe(false)
    await stored.store(response('1', { itemIds: [] }))
    expect(idsOf(await stored.holding(ADA, ['msg_1', 'msg_2'], NOW))).toEqual(['2'])
  })

  it('that a later one continues live as long as that one', async () => {
    await stored.store(response('1', { expiresAt: NOW + 10 }))
    await stored.store(response('2', { expiresAt: NOW + 30, previousId: '1', contextIds: ['1'] }))
    await stored.removeExpired(NOW + 20)
    expect(idsOf(await stored.chain(ADA, '2', NOW + 20))).toEqual(['1', '2'])
  })

  it('are removed with their items', async () => {
    await stored.store(response('1'))
    expect(await stored.remove(ADA, '1')).toBe(true)
    expect(await stored.remove(ADA, '1')).toBe(false)
    expect(await stored.find(ADA, '1', NOW)).toBeUndefined()
    await stored.store(response('of itself', { previousId: 'of itself' }))
    expect(await stored.remove(ADA, 'of itself')).toBe(true)
    expect(await stored.find(ADA, 'of itself', NOW)).toBeUndefined()
    await stored.store(response('1', { itemIds: [] }))
    expect(await stored.holding(ADA, ['msg_1'], NOW)).toEqual([])
  })

  it('remain in the chains of those that continue them, and are found in no other way', async () => {
    const chainOf = async (id: string) =>
      (await stored.chain(ADA, id, NOW)).map(({ response: json }) => JSON.parse(json).id)
    await stored.store(response('1'))
    await stored.store(response('2', { previousId: '1' }))
    await stored.store(response('3', { previousId: '2' }))
    await stored.store(response('other', { previousId: '1' }))
    expect(await stored.remove(ADA, '1')).toBe(true)
    expect(await stored.remove(ADA, '2')).toBe(true)
    expect(await stored.remove(ADA, '1')).toBe(false)
    for (const id of ['1', '2']) {
      expect(await stored.find(ADA, id, NOW)).toBeUndefined()
      expect(await stored.chain(ADA, id, NOW)).toEqual([])
    }
    expect(await stored.holding(ADA, ['msg_1', 'msg_2'], NOW)).toEqual([])
    expect(await chainOf('3')).toEqual(['1', '2', '3'])
    expect(await chainOf('other')).toEqual(['1', 'other'])
    const [first] = await stored.chain(ADA, '3', NOW)
    expect(await stored.remove(ADA, '3')).toBe(true)
    expect(await chainOf('other')).toEqual(['1', 'other'])
    expect(await stored.remove(ADA, 'other')).toBe(true)
    expect(await stored.find(ADA, first?.id ?? '', NOW)).toBeUndefined()
  })

  it('live as long as a later one where they were removed before it', async () => {
    await stored.store(response('1', { expiresAt: NOW + 10 }))
    await stored.store(response('2', { expiresAt: NOW + 10, previousId: '1' }))
    await stored.remove(ADA, '1')
    const contextIds = idsOf(await stored.chain(ADA, '2', NOW))
    await stored.store(response('3', { expiresAt: NOW + 30, previousId: '2', contextIds }))
    await stored.removeExpired(NOW + 20)
    expect(await stored.chain(ADA, '3', NOW + 20)).toHaveLength(3)
  })

  it('make room for later ones of the same owner, the oldest first', async () => {
    const sized = (id: string, createdAt: number, owner = ADA) =>
      response(id, {
        createdAt,
        owner,
        input: 'x'.repeat(60),
        response: 'y'.repeat(40),
        mostCharacters: 250,
      })
    await stored.store(sized('other', NOW - 10, BOB))
    for (const [id, at] of [
      ['1', 1],
      ['2', 2],
      ['3', 3],
    ] as const)
      await stored.store(sized(id, NOW + at))
    expect(await stored.find(ADA, '1', NOW)).toBeUndefined()
    expect(await stored.holding(ADA, ['msg_1'], NOW)).toEqual([])
    expect((await stored.find(ADA, '2', NOW))?.id).toBe('2')
    expect((await stored.find(ADA, '3', NOW))?.id).toBe('3')
    expect((await stored.find(BOB, 'other', NOW))?.id).toBe('other')
  })
})
