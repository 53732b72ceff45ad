import { isOver, type Job } from '../gateway/job-wire.ts'

/** Identifies one end of a job: a retried one ends again. */
const endOf = ({ id, endedAt }: Job): string => `${id} ${endedAt}`

/** Whether a job has finished by itself, and was not cancelled. */
const hasFinished = (job: Job): boolean => isOver(job) && job.state !== 'cancelled'

/** The ends of the jobs that have finished. */
export const endsOf = (jobs: readonly Job[]): string[] => jobs.filter(hasFinished).map(endOf)

/** The message about jobs that were open before and have finished now; empty where there are none. */
export function endsAsWords(before: readonly Job[], now: readonly Job[]): string {
  const open = new Set(before.filter(job => !isOver(job)).map(({ id }) => id))
  return now
    .filter(job => open.has(job.id) && hasFinished(job))
    .map(endAsWords)
    .join(' ')
}

function endAsWords({ name, counts: { total, succeeded, failed } }: Job): string {
  const failures = failed > 0 ? `, ${failed} failed` : ''
  return `The batch “${name}” has ended: ${succeeded} of ${total} succeeded${failures}.`
}
