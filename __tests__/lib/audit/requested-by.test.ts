import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { requestedBy } from '#lib/audit/service.ts'
import { AUDIT_ACTIONS } from '#lib/audit/types.ts'
import { ADMIN_ID, type Caller } from '#lib/caller.ts'
import { newCall } from '../../support/calls.ts'

const ROOT = join(import.meta.dirname, '../../..')
const SOURCES = globSync(['lib/**/*.ts', 'app/**/*.ts'], { cwd: ROOT })
  .map(file => readFileSync(join(ROOT, file), 'utf8'))
  .join('\n')

const address = '192.0.2.1'
const key = (id: string): Caller => ({ kind: 'key', id, name: 'any', role: 'admin', address })

describe('an entry of the audit log', () => {
  it.each([
    ['the admin token', key(ADMIN_ID), { kind: 'admin-token' }],
    ['a key', key('key_1'), { kind: 'key', id: 'key_1' }],
    ['a guest', { kind: 'guest', id: 'g1', address }, { kind: 'session', id: 'g1' }],
    ['a caller without a credential, never the admin', { kind: 'anonymous', address }, { kind: 'anonymous' }],
  ] as const)('names %s as its actor', (_, caller, actor) => {
    const { requestId } = newCall()
    expect(requestedBy(newCall({ caller }))).toEqual({ actor, address, requestId })
  })

  it.each(AUDIT_ACTIONS)('of %s is written by the gateway: no action is only declared', action => {
    expect(SOURCES).toContain(`action: '${action}'`)
  })
})
