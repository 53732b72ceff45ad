import { type Kysely, sql } from 'kysely'
import { turn } from '../../loop-turns.ts'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import { messagesBelow } from '../instruction.ts'
import {
  type Claim,
  type Item,
  type ItemDetail,
  type ItemRequest,
  type ItemState,
  isEvaluationRequest,
  isV1Request,
  JOB_STATES,
  type JobState,
  type Page,
} from '../types.ts'
import { itemsCursorOf, readItemsCursor } from './cursor.ts'
import { inLockOrder } from './locks.ts'
import { ITEM_COLUMNS, itemOf } from './rows.ts'

type RenewRequest = Readonly<{ limit: number; cursor?: string | undefined; state?: ItemState | undefined }>

/** The stored states that one public state covers: open items of a cancelled job are cancelled. */
const storedStates = (state: ItemState, job: string): readonly string[] => {
  if (job !== 'cancelled') return [state]
  if (state === 'cancelled') return ['cancelled', 'queued', 'running']
  return state === 'queued' || state === 'running' ? [] : [state]
}

/** Total size of the answers of one page, as stored; a longer one is a page of its own. */
const MOST_BYTES = 4_000_000
/** In bytes, not in characters: to count those, databases would read the whole of it. */
const BYTES = sql<number>`coalesce(octet_length(answer), 0)`.as('bytes')

/** How many of the items that come next make a page. */
const pageLength = (next: readonly Readonly<{ bytes: number }>[], limit: number): number => {
  let bytes = 0
  const tooMany = next.findIndex((item, index) => {
    bytes += item.bytes
    return index === limit || (index > 0 && bytes > MOST_BYTES)
  })
  return tooMany === -1 ? next.length : tooMany
}

/** Items of a job in their order. */
export const listItems = (
  records: Records,
  jobId: string,
  { limit, cursor, state }: RenewRequest,
): Promise<Page<Item>> =>
  records.read(async db => {
    const job = await db
      .selectFrom('batch_jobs')
      .select('state')
      .where('id', '=', jobId)
      .where('state', 'in', JOB_STATES)
      .executeTakeFirst()
    if (!job) return { entries: [] }
    let query = db.selectFrom('batch_items').where('job_id', '=', jobId).orderBy('place')
    if (cursor !== undefined) query = query.where('place', '>', readItemsCursor(cursor))
    if (state !== undefined) {
      const states = storedStates(state, job.state)
      if (states.length === 0) return { entries: [] }
      query = query.where('state', 'in', states)
    }
    const next = await query
      .select(['place', BYTES])
      .limit(limit + 1)
      .execute()
    const count = pageLength(next, limit)
    const last = next[count - 1]
    if (!last) return { entries: [] }
    const rows = await query.select(ITEM_COLUMNS).where('place', '<=', last.place).execute()
    const entries: Item[] = []
    for (const row of rows) {
      await turn()
      entries.push(itemOf(row, job.state as JobState))
    }
    return count < next.length ? { entries, cursor: itemsCursorOf(last.place) } : { entries }
  })

/** See `BatchRecords.item`. */
export const findItem = (records: Records, jobId: string, index: number): Promise<ItemDetail | undefined> =>
  records.read(async db => {
    const job = await db
      .selectFrom('batch_jobs')
      .select(['state', 'instruction'])
      .where('id', '=', jobId)
      .where('state', 'in', JOB_STATES)
      .executeTakeFirst()
    const row = await db
      .selectFrom('batch_items')
      .select([...ITEM_COLUMNS, 'request', 'instructed'])
      .where('job_id', '=', jobId)
      .where('place', '=', index)
      .executeTakeFirst()
    if (!job || !row) return undefined
    const request: ItemRequest = JSON.parse(row.request)
    const instruction: string | undefined =
      row.instructed === 1 && job.instruction !== null ? JSON.parse(job.instruction) : undefined
    return {
      ...itemOf(row, job.state as JobState),
      messages:
        isV1Request(request) || isEvaluationRequest(request) ? [] : messagesBelow(instruction, request),
    }
  })

/** Leases prolonged by one statement. */
const MOST_LEASES = 500

type Renewal = Readonly<{ jobId: string; claims: readonly Claim[]; leaseUntil: number }>

/** The places of items that are still leased by their claims. */
const leasedItems = (db: Pick<Kysely<RecordsSchema>, 'selectFrom'>, { jobId, claims }: Renewal) => {
  const held = claims.map(({ index, fence }) => sql`(cast(${index} as bigint), cast(${fence} as bigint))`)
  return db
    .selectFrom('batch_items')
    .select('place')
    .where('job_id', '=', jobId)
    .where('state', '=', 'running')
    .where(sql<boolean>`(place, fence) in (values ${sql.join(held)})`)
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('batch_jobs')
          .select('id')
          .where('id', '=', jobId)
          .where('batch_jobs.state', '=', 'running'),
      ),
    )
}

const renewStatement = (db: Kysely<RecordsSchema>, dialect: Records['dialect'], renewal: Renewal) =>
  db
    .with('leased', queries => inLockOrder(dialect, leasedItems(queries, renewal)))
    .updateTable('batch_items')
    .set({ lease_until: renewal.leaseUntil })
    .where('job_id', '=', renewal.jobId)
    .where('place', 'in', query => query.selectFrom('leased').select('place'))
    .returning(['job_id', 'place', 'fence'])

type Held = Readonly<{ job_id: string; place: number; fence: number }>

/** Claims of one job, in the order of locks. */
const portionsOf = (claims: readonly Claim[]): (readonly Claim[])[] => {
  const ordered = claims.toSorted((a, b) => a.index - b.index)
  return Array.from({ length: Math.ceil(claims.length / MOST_LEASES) }, (_, at) =>
    ordered.slice(at * MOST_LEASES, (at + 1) * MOST_LEASES),
  )
}

/** See `BatchRecords.renew`. */
export const renewLeases = async (
  records: Records,
  claims: readonly Claim[],
  { now, leaseMs }: Readonly<{ now: number; leaseMs: number }>,
): Promise<readonly Claim[]> => {
  const leaseUntil = now + leaseMs
  // In the order of locks.
  const byJob = [...Map.groupBy(claims, ({ jobId }) => jobId)].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const renewals = byJob.flatMap(([jobId, own]) =>
    portionsOf(own).map(portion => ({ jobId, claims: portion, leaseUntil })),
  )
  const results = await records.writeTogether(db =>
    renewals.map(renewal => renewStatement(db, records.dialect, renewal)),
  )
  const keyOf = ({ job_id, place, fence }: Held) => `${job_id} ${place} ${fence}`
  const held = new Set((results ?? []).flatMap(({ rows }) => rows as Held[]).map(keyOf))
  return claims
    .filter(({ jobId, index, fence }) => held.has(keyOf({ job_id: jobId, place: index, fence })))
    .map(claim => ({ ...claim, leaseUntil }))
}

/** When the next item may run: a waiting one, or one whose worker may have died. */
export const nextDueAt = (records: Records, except: readonly string[]): Promise<number | undefined> =>
  records.read(async db => {
    const isOther = except.length === 0 ? sql`true` : sql`id not in (${sql.join(except)})`
    const { rows } = await sql<{ waiting: number | null; leased: number | null }>`
      select
        (select min(case when coalesce(scheduled_for, 0) > due then scheduled_for else due end) from (
          select scheduled_for, (
            select min(not_before) from batch_items where job_id = job.id and state = 'queued'
          ) as due
          from batch_jobs as job where state in ('queued', 'running') and queued > 0 and ${isOther}
        ) as jobs) as waiting,
        (select min(lease_until) from batch_items where state = 'running' and exists (
          select 1 from batch_jobs where id = job_id and batch_jobs.state = 'running'
        )) as leased`.execute(db)
    const times = [rows[0]?.waiting, rows[0]?.leased].flatMap(at =>
      at === null || at === undefined ? [] : Number(at),
    )
    return times.length === 0 ? undefined : Math.min(...times)
  })
