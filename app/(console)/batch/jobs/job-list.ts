import type { Job } from '../../gateway/job-wire.ts'
import type { JobsPage } from '../../gateway/jobs.ts'
import type { Failure } from '../../gateway/wire.ts'
import type { Remembered } from './remembered-jobs.ts'

/** The user's batches, as far as they are shown. */
export type JobList = {
  /** Newest first; absent until loaded. */
  jobs?: readonly Job[]
  /** The cursor of older ones; `null` where there are none. */
  nextCursor: string | null
  connection: 'new' | 'live' | 'lost'
  /** Batches of a session that this browser has lost. */
  lost: readonly Remembered[]
  /** Why the list could not be loaded. */
  failure?: Failure | undefined
}

export type Action =
  | { type: 'listed'; page: JobsPage; lost?: readonly Remembered[] }
  | { type: 'listed-older'; page: JobsPage }
  | { type: 'changed'; job: Job }
  | { type: 'removed'; id: string }
  | { type: 'lost'; failure?: Failure }
  | { type: 'dismissed' }

export const unknown: JobList = { nextCursor: null, connection: 'new', lost: [] }

export function jobList(list: JobList, action: Action): JobList {
  const { jobs = [] } = list
  switch (action.type) {
    case 'listed':
      return { ...afterListing(list, action.page), lost: action.lost ?? [] }
    case 'listed-older':
      return { ...list, jobs: merged(jobs, action.page.jobs), nextCursor: action.page.nextCursor }
    case 'changed':
      return { ...list, jobs: merged(jobs, [action.job]) }
    case 'removed':
      return { ...list, jobs: jobs.filter(({ id }) => id !== action.id) }
    case 'lost':
      return { ...list, connection: 'lost', failure: action.failure }
    case 'dismissed':
      return { ...list, lost: [] }
  }
}

/** A reloaded first page: batches missing in it were removed; older ones already shown stay. */
function afterListing({ jobs = [], nextCursor }: JobList, page: JobsPage): Omit<JobList, 'lost'> {
  const oldest = page.jobs.at(-1)
  const older = page.nextCursor && oldest ? jobs.filter(job => byAge(oldest, job) < 0) : []
  return {
    jobs: merged(older, page.jobs),
    nextCursor: older.length > 0 ? nextCursor : page.nextCursor,
    connection: 'live',
  }
}

function merged(jobs: readonly Job[], newer: readonly Job[]): Job[] {
  const ids = new Set(newer.map(({ id }) => id))
  return [...jobs.filter(({ id }) => !ids.has(id)), ...newer].toSorted(byAge)
}

function byAge(one: Job, other: Job): number {
  return other.createdAt.localeCompare(one.createdAt) || other.id.localeCompare(one.id)
}
