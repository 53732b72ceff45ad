import { describe, expect, it } from 'vitest'
import { fieldsOf, keyChangeOf, NO_FIELDS, newKeyOf } from '../../app/(console)/admin/keys/key-fields.ts'
import { factsOf, restrictionsOf, scopesOf } from '../../app/(console)/admin/keys/key-words.ts'
import { withKey } from '../../app/(console)/admin/keys/use-keys.ts'
import type { ApiKey } from '../../app/(console)/admin/wire.ts'

const key = (changed: Partial<ApiKey> = {}): ApiKey => ({
  id: 'key_1',
  name: 'Bot',
  prefix: 'pk_live_abcd',
  owner: 'search',
  role: 'member',
  state: 'active',
  scopes: { routes: ['/v1/*'], models: [] },
  limits: { requestsPerMinute: 60, concurrency: 1 },
  budgetUsd: { month: 12.5 },
  madeBy: 'admin',
  createdAt: '2026-11-01T09:00:00.000Z',
  expiresAt: '2026-12-24T18:00:00.000Z',
  revokedAt: null,
  ...changed,
})

describe('the form of a key', () => {
  it('sends only what is filled in', () => {
    expect(newKeyOf({ ...NO_FIELDS, name: ' Bot ' })).toEqual({ name: 'Bot', role: 'member' })
    expect(
      newKeyOf({
        ...NO_FIELDS,
        name: 'Bot',
        owner: 'search',
        tokensPerMinute: '1000',
        models: 'openai/*\n\n gpt-4o, mock ',
        dayUsd: '0.5',
        expiresAt: '2026-12-24T18:00',
      }),
    ).toEqual({
      name: 'Bot',
      role: 'member',
      owner: 'search',
      limits: { tokensPerMinute: 1_000 },
      scopes: { models: ['openai/*', 'gpt-4o', 'mock'] },
      budgetUsd: { day: 0.5 },
      expiresAt: new Date('2026-12-24T18:00').toISOString(),
    })
  })

  it('changes nothing where nothing was changed', () => {
    const fields = fieldsOf(key())
    expect(keyChangeOf(fields, { ...fields })).toEqual({})
  })

  it('sends only what was changed, and null for what was emptied', () => {
    const fields = fieldsOf(key())
    const after = {
      ...fields,
      name: 'Robot',
      owner: '',
      requestsPerMinute: '',
      monthUsd: '20',
      expiresAt: '',
    }
    expect(keyChangeOf(fields, after)).toEqual({
      name: 'Robot',
      owner: null,
      limits: { requestsPerMinute: null },
      budgetUsd: { month: 20 },
      expiresAt: null,
    })
  })
})

describe('a key in words', () => {
  it('shows when it was last used only where the gateway says so', () => {
    const facts = (lastUsedAt?: string | null) =>
      factsOf(key(lastUsedAt === undefined ? {} : { lastUsedAt })).join()
    expect(facts()).not.toContain('used')
    expect(facts(null)).toContain('never used')
    expect(facts('2026-11-20T09:00:00.000Z')).toContain('last used Nov 20, 2026')
  })

  it('names its limits, and an empty scope as none', () => {
    expect(restrictionsOf(key())).toEqual([
      '60 requests a minute',
      '1 call at once',
      'routes /v1/*',
      'no models',
      '$12.50 a month',
    ])
  })

  it('is under the budgets of all, of its owner, and its own while it is active', () => {
    const keys = [
      key(),
      key({ id: 'key_2', budgetUsd: {} }),
      key({ id: 'key_3', owner: null, state: 'revoked' }),
    ]
    expect(scopesOf(keys)).toEqual(['all', 'owner:search', 'key:key_1'])
  })
})

describe('the list of keys', () => {
  it('has a changed key in its place, and a new one first', () => {
    const list = [key({ id: 'key_2' }), key()]
    expect(withKey(list, key({ name: 'Robot' })).map(({ name }) => name)).toEqual(['Bot', 'Robot'])
    expect(withKey(list, key({ id: 'key_3' })).map(({ id }) => id)).toEqual(['key_3', 'key_2', 'key_1'])
  })
})
