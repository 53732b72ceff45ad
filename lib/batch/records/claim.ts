import { type Selectable, sql, type Transaction } from 'kysely'
import { turn } from '../../loop-turns.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import type { BatchItemsTable } from '../../storage/records/tables/batch.ts'
import type { Claim } from '../types.ts'

type Tx = Transaction<RecordsSchema>
type ItemRef = Readonly<{ job_id: string; place: number; wasRunning: boolean }>
/** A running job, with the indexes of its items that are to run. */
type OpenJob = Readonly<{ id: string; owner: string; keyId: string | null; refs: readonly number[] }>
type ClaimRequest = Readonly<{ count: number; now: number; leaseMs: number; except?: readonly string[] }>

/** Jobs that are searched for items to run; later ones follow when these have none left. */
const MOST_JOBS = 50
const OPEN = ['queued', 'running']

/** Items whose worker did not renew the lease before it expired. */
const orphans = async (tx: Tx, records: Records, { count, now }: ClaimRequest): Promise<ItemRef[]> => {
  const query = tx
    .selectFrom('batch_items as item')
    .innerJoin('batch_jobs as job', 'job.id', 'item.job_id')
    .select(['item.job_id', 'item.place'])
    .where('item.state', '=', 'running')
    .where('item.lease_until', '<', now)
    .where('job.state', 'in', OPEN)
    .orderBy('item.lease_until')
    .limit(count)
  const locked = records.dialect === 'postgres' ? query.forUpdate('item').skipLocked() : query
  return (await locked.execute()).map(row => ({ ...row, wasRunning: true }))
}

/** Waiting items of a job: the started ones, or the others. Each query has an index of its own. */
const dueIn = async (
  tx: Tx,
  records: Records,
  jobId: string,
  { count, now, begun }: ClaimRequest & Readonly<{ begun: boolean }>,
): Promise<ItemRef[]> => {
  const query = tx
    .selectFrom('batch_items')
    .select(['job_id', 'place'])
    .where('job_id', '=', jobId)
    .where('not_before', '<=', now)
    .$if(begun, item =>
      item.where('ended_at', 'is', null).where('attempts', '>', sql.lit(0)).where('state', '!=', 'running'),
    )
    .$if(!begun, item => item.where('state', '=', 'queued').where('attempts', '=', 0))
    .orderBy('not_before')
    .orderBy('place')
    .limit(count)
  const locked = records.dialect === 'postgres' ? query.forUpdate().skipLocked() : query
  return (await locked.execute()).map(row => ({ ...row, wasRunning: false }))
}

/** Started items are finished before others start: their time is limited. */
const waitingIn = async (
  tx: Tx,
  records: Records,
  jobId: string,
  request: ClaimRequest,
): Promise<ItemRef[]> => {
  const begun = await dueIn(tx, records, jobId, { ...request, begun: true })
  const count = request.count - begun.length
  if (count === 0) return begun
  return [...begun, ...(await dueIn(tx, records, jobId, { ...request, count, begun: false }))]
}

/** Waiting items, of the first job in order, then of the next. */
const waiting = async (tx: Tx, records: Records, request: ClaimRequest): Promise<ItemRef[]> => {
  const { except = [] } = request
  const jobs = await tx
    .selectFrom('batch_jobs')
    .select('id')
    .where('state', 'in', OPEN)
    .where('queued', '>', 0)
    .where(where => where.or([where('scheduled_for', 'is', null), where('scheduled_for', '<=', request.now)]))
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('batch_items')
          .select('place')
          .whereRef('job_id', '=', 'batch_jobs.id')
          .where('batch_items.state', '=', 'queued')
          .where('not_before', '<=', request.now),
      ),
    )
    .orderBy('rank')
    .orderBy('id')
    .limit(MOST_JOBS)
    .$if(except.length > 0, query => query.where('id', 'not in', except))
    .execute()
  const refs: ItemRef[] = []
  for (const { id } of jobs) {
    const count = request.count - refs.length
    if (count <= 0) break
    refs.push(...(await waitingIn(tx, records, id, { ...request, count })))
  }
  return refs
}

/** The columns of an item's claim. */
const LEASED = [
  'place',
  'fence',
  'attempts',
  'failures',
  'cut_offs',
  'started_at',
  'request',
  'instructed',
] as const

type LeasedRow = Pick<Selectable<BatchItemsTable>, (typeof LEASED)[number]>

/** Leased items in their order, and their job. */
type Leased = Readonly<{
  jobId: string
  owner: string
  keyId: string | null
  rows: readonly LeasedRow[]
  /** JSON of a text. */
  instruction: string | null | undefined
}>

const lease = async (
  tx: Tx,
  { id, owner, keyId, refs }: OpenJob,
  { now, leaseMs }: ClaimRequest,
): Promise<Leased> => {
  const leased = await tx
    .updateTable('batch_items')
    .set(update => ({
      state: 'running',
      attempts: update('attempts', '+', 1),
      fence: update('fence', '+', 1),
      cut_offs: sql<number>`cut_offs + case when state = 'running' then 1 else 0 end`,
      lease_until: now + leaseMs,
      started_at: update.fn.coalesce('started_at', update.val(now)),
    }))
    .where('job_id', '=', id)
    .where('place', 'in', refs)
    .returning(LEASED)
    .execute()
  const job = leased.some(({ instructed }) => instructed === 1)
    ? await tx.selectFrom('batch_jobs').select('instruction').where('id', '=', id).executeTakeFirst()
    : undefined
  const byIndex = new Map(leased.map(row => [row.place, row]))
  const rows = refs.flatMap(place => byIndex.get(place) ?? [])
  return { jobId: id, owner, keyId, rows, instruction: job?.instruction }
}

const claimOf = (
  { jobId, owner, keyId, instruction }: Leased,
  row: LeasedRow,
  { now, leaseMs }: ClaimRequest,
): Claim => ({
  jobId,
  index: row.place,
  fence: row.fence,
  attempt: row.attempts,
  lostRuns: row.cut_offs,
  failures: row.failures,
  startedAt: row.started_at ?? now,
  claimedAt: now,
  leaseUntil: now + leaseMs,
  owner,
  ...(keyId !== null && { keyId }),
  request: JSON.parse(row.request),
  ...(row.instructed === 1 && instruction && { instruction: JSON.parse(instruction) }),
})

/**
 * Moves started jobs from `queued` to `running`, in the order of ids, so that transactions do not deadlock.
 * Returns the jobs that were not cancelled meanwhile.
 */
const counted = async (tx: Tx, refs: readonly ItemRef[], now: number): Promise<readonly OpenJob[]> => {
  const byJob = Map.groupBy(refs, ({ job_id }) => job_id)
  const open = new Map<string, OpenJob>()
  for (const [id, own] of [...byJob].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const begun = own.filter(({ wasRunning }) => !wasRunning).length
    const job = await tx
      .updateTable('batch_jobs')
      .set(update => ({
        state: 'running',
        queued: update('queued', '-', begun),
        running: update('running', '+', begun),
        started_at: update.fn.coalesce('started_at', update.val(now)),
      }))
      .where('id', '=', id)
      .where('state', 'in', OPEN)
      .returning(['owner', 'key_id'])
      .executeTakeFirst()
    if (!job) continue
    const refs = own.map(({ place }) => place)
    open.set(id, { id, owner: job.owner, keyId: job.key_id, refs })
  }
  return [...byJob.keys()].flatMap(id => open.get(id) ?? [])
}

const leaseNext = (records: Records, request: ClaimRequest): Promise<readonly Leased[]> =>
  records.write(async tx => {
    const lost = await orphans(tx, records, request)
    const left = { ...request, count: request.count - lost.length }
    const refs = left.count > 0 ? [...lost, ...(await waiting(tx, records, left))] : lost
    const leased: Leased[] = []
    for (const job of await counted(tx, refs, request.now)) leased.push(await lease(tx, job, request))
    return leased
  })

/** See `BatchRecords.claim`. */
export const claim = async (records: Records, request: ClaimRequest): Promise<readonly Claim[]> => {
  const claims: Claim[] = []
  // Requests may be long, and are read after the transaction.
  for (const leased of await leaseNext(records, request))
    for (const row of leased.rows) {
      await turn()
      claims.push(claimOf(leased, row, request))
    }
  return claims
}
