import { type Kysely, sql } from 'kysely'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import type { Claim, ItemReply, Outcome, Settled } from '../types.ts'
import { replyToText } from './rows.ts'

type Db = Kysely<RecordsSchema>

/** The largest sum that the column holds: nine million dollars. A job that costs more stays there. */
const MAX_COST_PICO = 2n ** 63n - 1n

/** A cost as the column takes it; undefined where it is unknown, or no amount at all. */
const costOf = ({ costPicoUsd = Number.NaN }: ItemReply): bigint | undefined => {
  if (!Number.isInteger(costPicoUsd) || costPicoUsd < 0) return undefined
  const exact = BigInt(costPicoUsd)
  return exact < MAX_COST_PICO ? exact : MAX_COST_PICO
}

const plusCost = (pico: bigint) =>
  sql<number>`case when cost_pico > ${MAX_COST_PICO - pico} then ${MAX_COST_PICO} else cost_pico + ${pico} end`

/** Columns that reset an item as if its run had not started. */
const takenBack = ({ attempt, startedAt, claimedAt }: Claim) => ({
  attempts: attempt - 1,
  ...(startedAt === claimedAt && { started_at: null }),
})

const columnsOf = (outcome: Outcome, claim: Claim, now: number) => {
  switch (outcome.state) {
    case 'succeeded':
      return {
        state: 'succeeded',
        answer: replyToText(outcome.answer),
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

const itemStatement = (db: Db, claim: Claim, outcome: Outcome, now: number) =>
  db
    .updateTable('batch_items')
    .set({ ...columnsOf(outcome, claim, now), lease_until: null })
    .where('job_id', '=', claim.jobId)
    .where('place', '=', claim.index)
    .where('fence', '=', claim.fence)
    .where('state', '=', 'running')

/** Counts the item, with its cost. Matches nothing where the job has ended by itself. */
const countStatement = (db: Db, { jobId }: Claim, outcome: Outcome) => {
  const column = outcome.state === 'again' ? 'queued' : outcome.state
  const answer = outcome.state === 'succeeded' ? outcome.answer : undefined
  const cost = answer && costOf(answer)
  const isUnpriced = answer !== undefined && cost === undefined
  return db
    .updateTable('batch_jobs')
    .set(update => ({
      running: update('running', '-', 1),
      [column]: update(column, '+', 1),
      // A bigint stays exact, however large the sum becomes.
      cost_pico: plusCost(cost ?? 0n),
      unpriced: update('unpriced', '+', isUnpriced ? 1 : 0),
    }))
    .where('id', '=', jobId)
    .where('state', '=', 'running')
}

/** Ends the job where no item of it is open any more. */
const endStatement = (db: Db, { jobId }: Claim, now: number) => {
  const ifWebhook = <T>(then: T, otherwise: string) =>
    sql<never>`case when webhook_url is null then ${sql.ref(otherwise)} else ${then} end`
  return db
    .updateTable('batch_jobs')
    .set({
      state: sql<string>`case when succeeded > 0 then 'completed' else 'failed' end`,
      ended_at: now,
      webhook_state: ifWebhook(sql.lit('due'), 'webhook_state'),
      webhook_at: ifWebhook(sql`cast(${now} as bigint)`, 'webhook_at'),
      webhook_attempts: ifWebhook(sql.lit(0), 'webhook_attempts'),
    })
    .where('id', '=', jobId)
    .where('state', '=', 'running')
    .where('queued', '=', 0)
    .where('running', '=', 0)
}

/** See `BatchRecords.settle`. */
export const settle = async (
  records: Records,
  claim: Claim,
  outcome: Outcome,
  now: number,
): Promise<Settled> => {
  const results = await records.writeTogether(db => {
    const item = itemStatement(db, claim, outcome, now).compile()
    const count = countStatement(db, claim, outcome).compile()
    const mayEnd = outcome.state !== 'again'
    return [
      { query: item, mustMatch: true },
      { query: count, mustMatch: true },
      ...(mayEnd ? [endStatement(db, claim, now)] : []),
    ]
  })
  if (!results) return 'lost'
  return results[2]?.numAffectedRows ? 'ended' : 'written'
}
