import { call } from './call.ts'
import type { Job } from './job-wire.ts'

export type JobsPage = { jobs: Job[]; nextCursor: string | null }

/** The user's newest batches, or those after a cursor. */
export const fetchJobs = (signal: AbortSignal, cursor?: string | null) =>
  call<JobsPage>(`/api/batch/jobs${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ''}`, { signal })
