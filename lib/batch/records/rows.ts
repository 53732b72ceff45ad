import { type Selectable, sql } from 'kysely'
import { picoUsdOf, usdOf } from '../../money.ts'
import type { BatchItemsTable, BatchJobsTable } from '../../storage/records/tables/batch.ts'
import {
  type Item,
  type ItemReply,
  type ItemState,
  type Job,
  type JobState,
  PRIORITIES,
  type Priority,
} from '../types.ts'

/** The waiting time that equals one level of priority. */
const STEP_MS = 600_000

/** Lower ranks come first: by the time from which the job may run, and its priority. */
export const rankOf = (
  { createdAt, scheduledFor = 0 }: Readonly<{ createdAt: number; scheduledFor?: number }>,
  priority: Priority,
): number => Math.max(createdAt, scheduledFor) + PRIORITIES.indexOf(priority) * STEP_MS

/** All columns of a job but its cost and its instruction, which may be long. */
export const JOB_COLUMNS = [
  'id',
  'owner',
  'name',
  'priority',
  'state',
  'rank',
  'created_at',
  'scheduled_for',
  'started_at',
  'ended_at',
  'total',
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'unpriced',
  'webhook_url',
  'webhook_state',
  'webhook_attempts',
  'webhook_at',
  'warnings',
  'idle_ms',
] as const

/** The cost of a job, as text. */
export const COST = sql<string>`cast(cost_pico as text)`.as('cost_pico')

/** A job's row; its cost is read as text, since it may be larger than numbers can hold. */
export type JobRow = Pick<Selectable<BatchJobsTable>, (typeof JOB_COLUMNS)[number]> & { cost_pico: string }

/** Null in a row is absent everywhere else. */
const present = <Name extends string, Value>(name: Name, value: Value | null) =>
  (value === null ? {} : { [name]: value }) as { [Key in Name]?: Value } as { [Key in Name]: Value }

export const jobOf = (row: JobRow): Job => ({
  id: row.id,
  owner: row.owner,
  name: row.name,
  priority: row.priority as Priority,
  state: row.state as JobState,
  createdAt: row.created_at,
  ...present('scheduledFor', row.scheduled_for),
  ...present('startedAt', row.started_at),
  ...present('endedAt', row.ended_at),
  ...present('webhookUrl', row.webhook_url),
  ...(row.warnings !== null && { warnings: JSON.parse(row.warnings) as readonly string[] }),
  counts: {
    total: row.total,
    queued: row.queued,
    running: row.running,
    succeeded: row.succeeded,
    failed: row.failed,
    cancelled: row.cancelled,
  },
  costUsd: usdOf(BigInt(row.cost_pico)),
  unpriced: row.unpriced,
  ...(row.idle_ms > 0 && { idleMs: row.idle_ms }),
})

/** An answer as its row holds it, with its cost in US dollars. */
export const replyToText = ({ costPicoUsd, ...reply }: ItemReply): string =>
  JSON.stringify({ ...reply, ...(costPicoUsd !== undefined && { costUsd: usdOf(costPicoUsd) }) })

const replyFrom = (text: string): ItemReply => {
  const { costUsd, ...reply } = JSON.parse(text)
  return { ...reply, ...(typeof costUsd === 'number' && { costPicoUsd: picoUsdOf(costUsd) }) }
}

/** Remaining items of a cancelled job never run. */
const stateOf = (state: string, job: JobState): ItemState => {
  const isOpen = state === 'queued' || state === 'running'
  return isOpen && job === 'cancelled' ? 'cancelled' : (state as ItemState)
}

/** The columns of an item that its owner sees. */
export const ITEM_COLUMNS = [
  'item_id',
  'place',
  'state',
  'attempts',
  'file',
  'line',
  'started_at',
  'ended_at',
  'answer',
  'fault',
] as const

export type ItemRow = Pick<Selectable<BatchItemsTable>, (typeof ITEM_COLUMNS)[number]>

/** @param job the state of the job it belongs to */
export const itemOf = (row: ItemRow, job: JobState): Item => ({
  id: row.item_id,
  index: row.place,
  state: stateOf(row.state, job),
  attempts: row.attempts,
  ...(row.file !== null && { source: { file: row.file, ...present('line', row.line) } }),
  ...present('startedAt', row.started_at),
  ...present('endedAt', row.ended_at),
  ...(row.answer !== null && { response: replyFrom(row.answer) }),
  ...(row.fault !== null && { fault: JSON.parse(row.fault) }),
})
