import { sql } from 'kysely'
import type { Records } from '../../storage/records/records.ts'
import type { BatchRecords, WebhookDue } from '../types.ts'
import { COST, JOB_COLUMNS, jobOf } from './rows.ts'

/** See `BatchRecords.claimWebhook`. */
export const claimWebhook = (
  records: Records,
  { now, leaseUntil, except }: Readonly<{ now: number; leaseUntil: number; except: readonly string[] }>,
): Promise<WebhookDue | undefined> =>
  records.write(async db => {
    const query = db
      .selectFrom('batch_jobs')
      .select([...JOB_COLUMNS, COST])
      // The literal condition of the index.
      .where('webhook_state', '=', sql.lit('due'))
      .where('webhook_at', '<=', now)
      .where('state', 'in', ['completed', 'failed', 'cancelled'])
      .$if(except.length > 0, due => due.where('owner', 'not in', except))
      .orderBy('webhook_at')
      .limit(1)
    const row = await (records.dialect === 'postgres'
      ? query.forUpdate().skipLocked()
      : query
    ).executeTakeFirst()
    if (!row?.webhook_url) return undefined
    const attempt = row.webhook_attempts + 1
    await db
      .updateTable('batch_jobs')
      .set({ webhook_at: leaseUntil, webhook_attempts: attempt })
      .where('id', '=', row.id)
      .execute()
    return { job: jobOf(row), url: row.webhook_url, attempt }
  })

export const settleWebhook = async (
  records: Records,
  { job, attempt }: WebhookDue,
  outcome: Parameters<BatchRecords['settleWebhook']>[1],
): Promise<void> => {
  const columns =
    'state' in outcome ? { webhook_state: outcome.state } : { webhook_at: Math.floor(outcome.again) }
  await records.write(db =>
    db
      .updateTable('batch_jobs')
      .set(columns)
      .where('id', '=', job.id)
      .where('webhook_state', '=', 'due')
      .where('webhook_attempts', '=', attempt)
      .where('ended_at', '=', job.endedAt ?? null)
      .execute(),
  )
}
