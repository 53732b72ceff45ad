import type { Audit, AuditAction, AuditEntry, AuditOrigin } from '../audit/types.ts'
import { AdminSessions } from '../auth/admin-session.ts'
import { Guesses } from '../auth/guesses.ts'
import { keyRecords } from '../auth/keys/records.ts'
import { KeyService } from '../auth/keys/service.ts'
import type { KeyRecord } from '../auth/keys/types.ts'
import { KeyVerifier } from '../auth/keys/verifier.ts'
import { keyPepper } from '../auth/session-secret.ts'
import type { Budgets } from '../budgets/budgets.ts'
import { isLimit } from '../budgets/limits.ts'
import type { Clock } from '../clock.ts'
import type { Environment } from '../config/schema.ts'
import type { Logger } from '../observability/logger.ts'
import type { Database } from './database.ts'

/** The API keys and the admins of this gateway. */
export type Keys = Readonly<{
  verifier: KeyVerifier
  service: KeyService
  adminSessions: AdminSessions
  /** Whether there is an admin token, or any key. */
  hasAdmins: () => Promise<boolean>
  /** Whether a credential under /v1 stands for nothing: neither is there, nor a pepper. */
  acceptsPlaceholders: () => boolean | Promise<boolean>
}>

/** The changes of keys. */
export type KeyChanges = Pick<KeyService, 'create' | 'change' | 'rotate' | 'revoke'>

/** The changes of keys, each in the audit log before it takes place. A new budget includes what was spent before. */
export const auditedKeys = (
  service: KeyService,
  audit: Audit,
  origin: AuditOrigin,
  budgets?: Pick<Budgets, 'begin'>,
): KeyChanges => {
  const append = (
    action: AuditAction,
    { id, name, owner, role }: KeyRecord,
    entry: Partial<AuditEntry> = {},
  ) => audit.append({ ...origin, action, object: id, detail: { name, owner: owner ?? null, role }, ...entry })
  return {
    async create(by, settings, acting) {
      const { name, owner = null, role } = settings
      const detail = { name, owner, role }
      await audit.append({ ...origin, action: 'key.create', object: name, after: settings, detail })
      return service.create(by, settings, acting)
    },
    async change(id, change, acting) {
      const before = await service.find(id, acting)
      await append('key.change', before, { before, after: { ...before, ...change } })
      if (change.budget !== undefined) await budgets?.begin(`key:${id}`, isLimit(before.budget ?? {}))
      return service.change(id, change, acting)
    },
    async rotate(id, overlapMs, acting) {
      await append('key.rotate', await service.find(id, acting))
      return service.rotate(id, overlapMs, acting)
    },
    async revoke(id, acting) {
      await append('key.revoke', await service.find(id, acting))
      return service.revoke(id, acting)
    },
  }
}

export type KeyWiringDeps = Readonly<{ env: Environment; clock: Clock; logger: Logger; database: Database }>

export const buildKeys = ({ env, clock, logger, database }: KeyWiringDeps): Keys => {
  const { records, clock: shared } = database
  const { ADMIN_TOKEN: adminToken, KEY_PEPPER: configured } = env
  const pepper = keyPepper(configured, env.DATA_DIR, code =>
    logger.error(
      { code, path: env.DATA_DIR, component: 'keys' },
      'DATA_DIR cannot be used: API keys made now are not known after a restart; set KEY_PEPPER',
    ),
  )
  const stored = keyRecords(records)
  const verifier = new KeyVerifier({
    records: stored,
    pepper,
    adminToken,
    guesses: new Guesses(clock),
    clock,
    shared,
  })
  const hasAdmins = async () => adminToken !== undefined || (await verifier.any())
  return {
    verifier,
    service: new KeyService({ records: stored, pepper, clock: shared, onChange: () => verifier.changed() }),
    adminSessions: new AdminSessions({
      records,
      pepper,
      adminToken,
      activeById: id => verifier.activeById(id),
      clock,
      shared,
    }),
    hasAdmins,
    acceptsPlaceholders:
      adminToken !== undefined || configured !== undefined
        ? () => false
        : async () => !(await verifier.any()),
  }
}
