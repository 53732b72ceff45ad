import { sql, type Transaction } from 'kysely'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import type { Claim, Outcome, Settled } from '../types.ts'
import { PICO_PER_USD } from './rows.ts'

type Tx = Transaction<RecordsSchema>

/** The largest sum that the column holds: nine million dollars. A job that costs more stays there. */
const MAX_COST_PICO = 2n ** 63n - 1n

/** A cost in picodollars; undefined where it is unknown, or no amount at all. */
const picoOf = (usd: number | undefined): bigint | undefined => {
  const pico = Math.round((usd ?? Number.NaN) * PICO_PER_USD)
  if (!Number.isFinite(pico) || pico < 0) return undefined
  const exact = BigInt(pico)
  return exact < MAX_COST_PICO ? exact : MAX_COST_PICO
}

const plusCost = (pico: bigint) =>
  sql<number>`case when cost_pico > ${MAX_COST_PICO - pico} then ${MAX_COST_PICO} else cost_pico + ${pico} end`

/** What makes a beginning one that never was. */
const takenBack = ({ attempt, startedAt, claimedAt }: Claim) => ({
  attempts: attempt - 1,
  ...(startedAt === claimedAt && { started_at: null }),
})

const columnsOf = (outcome: Outcome, claim: Claim, now: number) => {
  switch (outcome.state) {
    case 'succeeded':
      return {
        state: 'succeeded',
        answer: JSON.stringify(outcome.answer),
        fault: null,
        ended_at: now,
      }
    case 'failed':
      return { state: 'failed', fault: JSON.stringify(outcome.fault), ended_at: now }
    case 'again':
      return {
        state: 'queued',
        not_before: Math.floor(outcome.notBefore),
        fault: JSON.stringify(outcome.fault),
        failures: claim.failures + (outcome.countsAs === 'failure' ? 1 : 0),
        ...(outcome.countsAs === 'nothing' && takenBack(claim)),
      }
  }
}

const writeItem = async (tx: Tx, claim: Claim, outcome: Outcome, now: number): Promise<boolean> => {
  const { numUpdatedRows } = await tx
    .updateTable('batch_items')
    .set({ ...columnsOf(outcome, claim, now), lease_until: null })
    .where('job_id', '=', claim.jobId)
    .where('place', '=', claim.index)
    .where('fence', '=', claim.fence)
    .where('state', '=', 'running')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Counts it, with its cost. Returns what is left open of the job; nothing where the job has ended by itself. */
const countItem = async (tx: Tx, { jobId }: Claim, outcome: Outcome) => {
  const column = outcome.state === 'again' ? 'queued' : outcome.state
  const answer = outcome.state === 'succeeded' ? outcome.answer : undefined
  const cost = picoOf(answer?.costUsd)
  const isUnpriced = answer !== undefined && cost === undefined
  return await tx
    .updateTable('batch_jobs')
    .set(update => ({
      running: update('running', '-', 1),
      [column]: update(column, '+', 1),
      // As a bigint, which stays exact however much it comes to.
      cost_pico: plusCost(cost ?? 0n),
      unpriced: update('unpriced', '+', isUnpriced ? 1 : 0),
    }))
    .where('id', '=', jobId)
    .where('state', '=', 'running')
    .returning(['queued', 'running', 'succeeded', 'webhook_url'])
    .executeTakeFirst()
}

class LeaseLost extends Error {}

/** See `BatchRecords.settle`. */
export const settle = async (
  records: Records,
  claim: Claim,
  outcome: Outcome,
  now: number,
): Promise<Settled> => {
  try {
    return await records.write(async tx => {
      if (!(await writeItem(tx, claim, outcome, now))) return 'lost'
      const job = await countItem(tx, claim, outcome)
      // Takes back what was written of the item.
      if (!job) throw new LeaseLost()
      if (job.queued + job.running > 0) return 'written'
      await endJob(
        tx,
        claim.jobId,
        { hasSucceeded: job.succeeded > 0, hasWebhook: job.webhook_url !== null },
        now,
      )
      return 'ended'
    })
  } catch (error) {
    if (error instanceof LeaseLost) return 'lost'
    throw error
  }
}

const endJob = async (
  tx: Tx,
  id: string,
  { hasSucceeded, hasWebhook }: Readonly<{ hasSucceeded: boolean; hasWebhook: boolean }>,
  now: number,
): Promise<void> => {
  await tx
    .updateTable('batch_jobs')
    .set({
      state: hasSucceeded ? 'completed' : 'failed',
      ended_at: now,
      ...(hasWebhook && { webhook_state: 'due', webhook_at: now, webhook_attempts: 0 }),
    })
    .where('id', '=', id)
    .execute()
}
