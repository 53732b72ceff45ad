import type { Selectable } from 'kysely'
import type { V1BatchesTable } from '../../storage/records/tables/openai-state.ts'
import type { JobState, V1Url } from '../types.ts'
import type { BatchApi, NewV1Batch, V1Batch, V1BatchState } from './types.ts'

/** The columns of the job that belongs to a batch; null where there is none. */
type JobColumns = Readonly<{
  live_job_id: string | null
  job_state: string | null
  job_ended_at: number | null
  total: number | null
  queued: number | null
  running: number | null
  succeeded: number | null
  failed: number | null
  cancelled: number | null
}>

const parsed = (text: string | null) => (text === null ? undefined : JSON.parse(text))

/** Without the members that are null or undefined. */
const known = (members: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null && value !== undefined))

const jobOf = (row: JobColumns): V1Batch['job'] => {
  if (row.live_job_id === null) return undefined
  const { total, queued, running, succeeded, failed, cancelled } = row
  const counts = { total, queued, running, succeeded, failed, cancelled }
  return {
    id: row.live_job_id,
    state: row.job_state as JobState,
    counts: counts as NonNullable<V1Batch['job']>['counts'],
    ...(row.job_ended_at !== null && { endedAt: row.job_ended_at }),
  }
}

export const batchOf = (row: Selectable<V1BatchesTable> & JobColumns): V1Batch => ({
  id: row.id,
  owner: row.owner,
  api: row.api as BatchApi,
  endpoint: row.endpoint as V1Url,
  state: row.state as V1BatchState,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  ...known({
    keyId: row.key_id,
    inputFileId: row.input_file_id,
    metadata: parsed(row.metadata),
    outputTtlMs: row.output_ttl_ms,
    job: jobOf(row),
    begunAt: row.begun_at,
    cancelledAt: row.cancelled_at,
    expiredAt: row.expired_at,
    endedAt: row.ended_at,
    outputFileId: row.output_file_id,
    errorFileId: row.error_file_id,
    errors: parsed(row.errors),
    usage: parsed(row.usage),
  }),
})

/** The row of a new batch, without its state. */
export const batchRowOf = (batch: NewV1Batch) => ({
  id: batch.id,
  owner: batch.owner,
  key_id: batch.keyId ?? null,
  api: batch.api,
  endpoint: batch.endpoint,
  input_file_id: batch.inputFileId ?? null,
  metadata: batch.metadata === undefined ? null : JSON.stringify(batch.metadata),
  output_ttl_ms: batch.outputTtlMs ?? null,
  created_at: Math.floor(batch.createdAt),
  expires_at: Math.floor(batch.expiresAt),
  fence: 0,
  lease_until: 0,
})
