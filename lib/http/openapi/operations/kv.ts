import { kvQuery } from '../../../validation/kv.ts'
import { kvKeys, kvStored, kvValue } from '../answers/kv.ts'
import { inPath, json, type Operation } from '../operation.ts'

const key = inPath('key', '1 to 128 of A-Z a-z 0-9 . _ ~ - and not `.` or `..`.', 'settings')

/** Values that callers store under keys of their own. */
export const kvOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/kv',
    tag: 'Values',
    summary: 'List your keys',
    access: 'caller',
    query: kvQuery,
    answers: [{ description: 'One page, in order.', content: [json('KvKeys', kvKeys)] }],
    errors: ['INVALID_INPUT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/kv/{key}',
    tag: 'Values',
    summary: 'Read a value',
    access: 'caller',
    parameters: [key],
    answers: [{ description: 'The value as it was stored.', content: [json('KvValue', kvValue)] }],
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'put',
    path: '/api/kv/{key}',
    tag: 'Values',
    summary: 'Store a value',
    description: 'Any JSON of at most 1 MB. The last value under a key wins.',
    access: 'caller',
    parameters: [key],
    body: { name: 'KvNewValue', schema: kvValue, examples: { Object: { theme: 'dark', size: 1.5 } } },
    answers: [
      { description: 'It replaced another.', content: [json('KvStored', kvStored)] },
      { status: 201, description: 'It is new.', content: [json('KvStored', kvStored)] },
    ],
    errors: ['QUOTA_EXCEEDED', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'delete',
    path: '/api/kv/{key}',
    tag: 'Values',
    summary: 'Delete a value',
    access: 'caller',
    parameters: [key],
    answers: [{ status: 204, description: 'It is deleted.' }],
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
]
