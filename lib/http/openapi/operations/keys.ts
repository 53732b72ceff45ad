import { keyChangeBody, keysQuery, newKeyBody, rotationBody } from '../../../validation/keys.ts'
import { admin, adminSession, apiKey, keyList, madeKey } from '../answers/keys.ts'
import { inPath, json, type Operation } from '../operation.ts'

const keyId = inPath('id', 'The key’s id.', `key_${'0'.repeat(24)}`)
/** When a key may expire depends on the time; its schema does not. */
const newKey = newKeyBody(0)
const changeErrors = ['INVALID_INPUT', 'NOT_FOUND', 'CONFLICT', 'STORE_UNAVAILABLE'] as const

type Area = Readonly<{
  path: string
  access: 'admin' | 'member'
  /** Whose keys: `all keys`. */
  which: string
  one: string
}>

const AREAS: readonly Area[] = [
  { path: '/api/admin/keys', access: 'admin', which: 'all API keys', one: 'an API key' },
  { path: '/api/keys', access: 'member', which: 'your API keys', one: 'an API key of yours' },
]

const listing = ({ path, access, which, one }: Area): readonly Operation[] => [
  {
    method: 'get',
    path,
    tag: 'Keys',
    summary: `List ${which}`,
    description: 'Newest first.',
    access,
    query: keysQuery,
    answers: [{ description: 'One page.', content: [json('KeyList', keyList)] }],
    errors: ['INVALID_INPUT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'post',
    path,
    tag: 'Keys',
    summary: `Make ${one}`,
    description: access === 'member' ? 'It never exceeds your own key.' : 'Its secret is shown this once.',
    access,
    body: {
      name: 'NewKey',
      schema: newKey,
      examples: {
        Key: {
          name: 'Search',
          owner: 'team-search',
          scopes: { routes: ['/v1/*'], models: ['openai/gpt-*'] },
          limits: { requestsPerMinute: 60, tokensPerMinute: 100_000, concurrency: 5 },
          budgetUsd: { day: 5, month: 50 },
          expiresAt: '2030-01-01T00:00:00Z',
        },
      },
    },
    answers: [{ status: 201, description: 'The key, with its secret.', content: [json('MadeKey', madeKey)] }],
    errors: ['STORE_UNAVAILABLE'],
  },
]

const changing = ({ path, access, one }: Area): readonly Operation[] => [
  {
    method: 'get',
    path: `${path}/{id}`,
    tag: 'Keys',
    summary: `Read ${one}`,
    access,
    parameters: [keyId],
    answers: [{ description: 'The key.', content: [json('ApiKey', apiKey)] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'patch',
    path: `${path}/{id}`,
    tag: 'Keys',
    summary: `Change ${one}`,
    description: 'Absent members stay as they are; null takes a restriction away.',
    access,
    parameters: [keyId],
    body: {
      name: 'KeyChange',
      schema: keyChangeBody,
      examples: { Limits: { limits: { requestsPerMinute: 10, concurrency: null } } },
    },
    answers: [{ description: 'The changed key.', content: [json('ApiKey', apiKey)] }],
    errors: changeErrors,
  },
]

const ending = ({ path, access, one }: Area): readonly Operation[] => [
  {
    method: 'post',
    path: `${path}/{id}/rotate`,
    tag: 'Keys',
    summary: `Give ${one} a new secret`,
    description: 'The old one stays valid for `overlapSeconds`. Id and owner stay.',
    access,
    parameters: [keyId],
    body: { name: 'KeyRotation', schema: rotationBody, examples: { 'An hour': { overlapSeconds: 3_600 } } },
    answers: [{ description: 'The key, with its new secret.', content: [json('MadeKey', madeKey)] }],
    errors: changeErrors,
  },
  {
    method: 'post',
    path: `${path}/{id}/revoke`,
    tag: 'Keys',
    summary: `Revoke ${one}`,
    description: 'Within five seconds on every gateway; the keys that it made end with it.',
    access,
    parameters: [keyId],
    answers: [{ description: 'The revoked key.', content: [json('ApiKey', apiKey)] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
]

const operationsFor = (area: Area): readonly Operation[] => [
  ...listing(area),
  ...changing(area),
  ...ending(area),
]

const sessionOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/admin/session',
    tag: 'Keys',
    summary: 'Read who is signed in',
    access: 'admin',
    answers: [{ description: 'The admin.', content: [json('Admin', admin)] }],
    errors: ['STORE_UNAVAILABLE'],
  },
  {
    method: 'post',
    path: '/api/admin/session',
    tag: 'Keys',
    summary: 'Sign in to the console',
    description: 'With the admin token or an admin’s key; sets a cookie for eight hours.',
    access: 'admin',
    answers: [{ status: 201, description: 'Signed in.', content: [json('AdminSession', adminSession)] }],
    errors: ['STORE_UNAVAILABLE'],
  },
  {
    method: 'delete',
    path: '/api/admin/session',
    tag: 'Keys',
    summary: 'Sign out of the console',
    access: 'admin',
    answers: [{ status: 204, description: 'Signed out.' }],
    errors: ['STORE_UNAVAILABLE'],
  },
]

export const keyOperations: readonly Operation[] = [
  ...sessionOperations,
  ...AREAS.flatMap(operationsFor),
  {
    method: 'get',
    path: '/api/keys/self',
    tag: 'Keys',
    summary: 'Read the key you use',
    access: 'member',
    answers: [{ description: 'The key.', content: [json('ApiKey', apiKey)] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
]
