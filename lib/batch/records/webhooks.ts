import type { Records } from '../../storage/records/records.ts'
import type { BatchRecords, WebhookDue } from '../types.ts'
import { COST, JOB_COLUMNS, jobOf } from './rows.ts'

/** See `BatchRecords.claimWebhook`. */
export const claimWebhook = (
  records: Records,
  now: number,
  leaseUntil: number,
): Promise<WebhookDue | undefined> =>
  records.write(async db => {
    const query = db
      .selectFrom('batch_jobs')
      .select([...JOB_COLUMNS, COST])
      .where('webhook_state', '=', 'due')
      .where('webhook_at', '<=', now)
      .where('state', 'in', ['completed', 'failed', 'cancelled'])
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
  jobId: string,
  outcome: Parameters<BatchRecords['settleWebhook']>[1],
): Promise<void> => {
  const columns =
    'state' in outcome ? { webhook_state: outcome.state } : { webhook_at: Math.floor(outcome.again) }
  await records.write(db =>
    db
      .updateTable('batch_jobs')
      .set(columns)
      .where('id', '=', jobId)
      .where('webhook_state', '=', 'due')
      .execute(),
  )
}
