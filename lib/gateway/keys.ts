import type { Audit, AuditOrigin } from '../audit/types.ts'
import { AdminSessions } from '../auth/admin-session.ts'
import { Guesses } from '../auth/guesses.ts'
import { keyRecords } from '../auth/keys/records.ts'
import { KeyService } from '../auth/keys/service.ts'
import type { KeyRecord } from '../auth/keys/types.ts'
import { KeyUses } from '../auth/keys/uses.ts'
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
  uses: KeyUses
  /** Whether there is an admin token, or any key. */
  hasAdmins: () => Promise<boolean>
  /** Whether a credential under /v1 stands for nothing: neither is there, nor a pepper. */
  acceptsPlaceholders: () => boolean | Promise<boolean>
}>

/** The changes of keys. */
export type KeyChanges = Pick<KeyService, 'create' | 'change' | 'rotate' | 'revoke'>

/** What a change is a change of: a key that is merely used stays the same. */
const stateOf = ({ lastUsedAt, ...state }: KeyRecord): Omit<KeyRecord, 'lastUsedAt'> => state

/**
 * The changes of keys, each written together with its row in the audit log. A new budget includes what was spent
 * before.
 */
export const auditedKeys = (
  service: KeyService,
  audit: Audit,
  origin: AuditOrigin,
  budgets?: Pick<Budgets, 'begin'>,
): KeyChanges => {
  const recorded = service.recordedBy(({ action, before, after }, transaction) => {
    const { id, name, owner = null, role } = after
    return audit.append(
      {
        ...origin,
        action,
        object: id,
        before: before && stateOf(before),
        after: stateOf(after),
        detail: { name, owner, role },
      },
      transaction,
    )
  })
  return {
    create: (...settings) => recorded.create(...settings),
    rotate: (...overlap) => recorded.rotate(...overlap),
    revoke: (...key) => recorded.revoke(...key),
    async change(id, change, acting) {
      if (change.budget !== undefined) {
        const { id: known, budget = {} } = await service.find(id, acting)
        await budgets?.begin(`key:${known}`, isLimit(budget))
      }
      return recorded.change(id, change, acting)
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
  const uses = new KeyUses({
    write: some => stored.used(some),
    clock: shared,
    onError: database.reportError,
  })
  const verifier = new KeyVerifier({
    records: stored,
    pepper,
    adminToken,
    guesses: new Guesses(clock),
    clock,
    shared,
    onUse: id => uses.used(id),
  })
  const hasAdmins = async () => adminToken !== undefined || (await verifier.any())
  return {
    verifier,
    uses,
    service: new KeyService({
      records: stored,
      pepper,
      clock: shared,
      onChange: () => verifier.changed(),
      lastUse: id => uses.latest(id),
    }),
    adminSessions: new AdminSessions({
      records,
      pepper,
      adminToken,
      activeByDigest: digest => verifier.activeByDigest(digest),
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
