import { type Kysely, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { RecordsUnusable } from './fault.ts'
import { batch } from './migrations/2026-11-26-batch.ts'
import { batchWorkers } from './migrations/2026-11-26-batch-workers.ts'
import { begunFirst } from './migrations/2026-11-26-begun-first.ts'
import { instruction } from './migrations/2026-11-26-instruction.ts'
import { warnings } from './migrations/2026-11-27-warnings.ts'
import { idleTime } from './migrations/2026-11-28-idle-time.ts'
import { storedResponses } from './migrations/2026-11-28-stored-responses.ts'
import { v1Batches } from './migrations/2026-11-28-v1-batches.ts'
import { audit } from './migrations/2026-11-29-audit.ts'
import { budgets } from './migrations/2026-11-29-budgets.ts'
import { idempotency } from './migrations/2026-11-29-idempotency.ts'
import { keyValue } from './migrations/2026-11-29-key-value.ts'
import { keys } from './migrations/2026-11-29-keys.ts'
import { ledger } from './migrations/2026-11-29-ledger.ts'
import { corrections } from './migrations/2026-11-30-corrections.ts'
import { lastUse } from './migrations/2026-11-30-last-use.ts'
import { recommendations } from './migrations/2026-11-30-recommendations.ts'
import { evaluation } from './migrations/2026-12-01-evaluation.ts'
import { noticedLimit } from './migrations/2026-12-01-noticed-limit.ts'
import type { RecordsSchema } from './schema.ts'

/** In the order of their names. A released migration is never changed: later changes are new ones. */
const MIGRATIONS = {
  '2026-11-26-batch': batch,
  '2026-11-26-batch-workers': batchWorkers,
  '2026-11-26-begun-first': begunFirst,
  '2026-11-26-instruction': instruction,
  '2026-11-27-warnings': warnings,
  '2026-11-28-idle-time': idleTime,
  '2026-11-28-stored-responses': storedResponses,
  '2026-11-28-v1-batches': v1Batches,
  '2026-11-29-audit': audit,
  '2026-11-29-budgets': budgets,
  '2026-11-29-idempotency': idempotency,
  '2026-11-29-key-value': keyValue,
  '2026-11-29-keys': keys,
  '2026-11-29-ledger': ledger,
  '2026-11-30-corrections': corrections,
  '2026-11-30-last-use': lastUse,
  '2026-11-30-recommendations': recommendations,
  '2026-12-01-evaluation': evaluation,
  '2026-12-01-noticed-limit': noticedLimit,
}

/** An arbitrary number that no other program uses. */
const LOCK = 7_265_539_001

const NEWER = /previously executed migration .* is missing/

/**
 * Brings a database up to date, in one exclusive transaction: a second process that starts at the same moment waits,
 * and then finds it done.
 *
 * @throws RecordsUnusable where a newer version of the gateway has written it.
 */
export const migrate = async (db: Kysely<RecordsSchema>, dialect: 'sqlite' | 'postgres'): Promise<void> => {
  await db.transaction().execute(async transaction => {
    if (dialect === 'postgres') await sql`select pg_advisory_xact_lock(${sql.lit(LOCK)})`.execute(transaction)
    const provider = { getMigrations: async () => MIGRATIONS }
    const { error } = await new Migrator({ db: transaction, provider }).migrateToLatest()
    if (error instanceof Error && NEWER.test(error.message))
      throw new RecordsUnusable('it was written by a newer version of the gateway; start that one')
    if (error) throw error
  })
}
