import { type Kysely, sql } from 'kysely'
import type { Records } from '../../storage/records/records.ts'
import type { RecordsSchema } from '../../storage/records/schema.ts'
import type { ItemError, Job, Wait } from '../types.ts'
import { countWorkers } from './workers.ts'

type Db = Kysely<RecordsSchema>

const isOpen = ({ counts }: Job): boolean => counts.queued + counts.running > 0

type PutBack = Readonly<{ job_id: string; not_before: number; fault: string | null; model: string | null }>

/** The item of each job that waits longest; the index of waiting items by time serves this query. */
const putBackItems = async (
  db: Db,
  dialect: Records['dialect'],
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, PutBack>> => {
  if (jobIds.length === 0) return new Map()
  const model =
    dialect === 'postgres'
      ? sql`cast(item.request as json) ->> 'model'`
      : sql`json_extract(item.request, '$.model')`
  const { rows } = await sql<PutBack>`
    select item.job_id, item.not_before, item.fault, ${model} as model
    from batch_jobs as job join batch_items as item on item.job_id = job.id and item.place = (
      select place from batch_items
      where job_id = job.id and state = 'queued' and not_before > 0
      order by not_before desc, place desc limit 1
    )
    where job.id in (${sql.join(jobIds)})`.execute(db)
  return new Map(rows.map(row => [row.job_id, row]))
}

const waitForModel = (item: PutBack | undefined, now: number): Wait | undefined => {
  if (!item?.fault) return undefined
  const fault: ItemError = JSON.parse(item.fault)
  if (fault.code === 'SHUTTING_DOWN') return undefined
  const until = Number(item.not_before)
  return {
    reason: 'model',
    fault,
    ...(item.model !== null && { model: item.model }),
    ...(until > now && { until }),
  }
}

/** See `BatchRecords.withWaits`. */
export const withWaits = async (
  records: Records,
  jobs: readonly Job[],
  now: number,
): Promise<readonly Job[]> => {
  if (!jobs.some(isOpen)) return jobs
  return records.read(async db => {
    const workers = await countWorkers(db, now)
    const resting = jobs.filter(job => isOpen(job) && job.counts.running === 0)
    const putBack = await putBackItems(
      db,
      records.dialect,
      resting.map(({ id }) => id),
    )
    const waitOf = (job: Job): Wait | undefined => {
      const { id, counts, scheduledFor = 0 } = job
      if (!isOpen(job)) return undefined
      if (scheduledFor > now) return { reason: 'schedule', until: scheduledFor }
      if (workers === 0) return { reason: 'worker' }
      if (counts.running > 0) return undefined
      return waitForModel(putBack.get(id), now) ?? { reason: 'queue' }
    }
    return jobs.map(job => {
      const wait = waitOf(job)
      return wait ? { ...job, wait } : job
    })
  })
}
