import { cost, wait } from '../../format.ts'
import { isOver, type Job } from '../../gateway/job-wire.ts'

/** A batch's colour: one with a failure never looks like one without. */
export type Tone = 'well' | 'partly' | 'badly' | 'still'

export function toneOf({ state, counts }: Job): Tone {
  if (state === 'failed') return 'badly'
  if (counts.failed > 0) return 'partly'
  return state === 'cancelled' ? 'still' : 'well'
}

const STATES = {
  queued: 'Queued',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const

/** `Running`, `Completed, 2 failed`, `Waiting for openai/gpt-4o`. */
export function stateAsWords(job: Job): string {
  const { failed } = job.counts
  const state = waitingFor(job) ?? STATES[job.state]
  return failed > 0 && job.state !== 'failed' ? `${state}, ${count(failed)} failed` : state
}

function waitingFor({ state, waiting }: Job): string | undefined {
  if (waiting?.reason === 'model') return `Waiting for ${waiting.model ?? 'a model'}`
  return waiting?.reason === 'worker' && state === 'running' ? 'Waiting for a worker' : undefined
}

/** How many items have ended, with other counts. */
export function countsAsWords({ counts }: Job): string {
  const { total, succeeded, failed, cancelled } = counts
  const others = [failed > 0 && `${count(failed)} failed`, cancelled > 0 && `${count(cancelled)} cancelled`]
  return [`${count(succeeded)} of ${count(total)} succeeded`, ...others].filter(Boolean).join(', ')
}

/**
 * `about 3 minutes left`, or that it is unknown. Undefined where there is nothing to say.
 *
 * @param isLate whether the estimate has run out without progress
 */
export function timeLeftAsWords(job: Job, isLate: boolean): string | undefined {
  const { etaSeconds, state, waiting } = job
  if (isOver(job)) return undefined
  if (waiting?.reason === 'schedule') return waiting.until ? `starts ${dateTime(waiting.until)}` : undefined
  if (waiting?.reason === 'queue' && state === 'queued') return 'waiting for its turn'
  if (waiting) return 'time left unknown'
  if (etaSeconds === null) return undefined
  return isLate ? 'taking longer than estimated' : `about ${wait(Math.max(1, etaSeconds))} left`
}

/** The cause of a wait in a sentence; undefined where there is none to know. */
export function waitAsWords({ waiting }: Job): string | undefined {
  if (waiting?.reason === 'worker') return waiting.message
  if (waiting?.reason !== 'model') return undefined
  return waiting.until ? `${waiting.message} Next try at ${clockTime(waiting.until)}.` : waiting.message
}

/** Its cost so far; undefined before the first item with one. */
export function costAsWords(job: Job): string | undefined {
  const { costUsd, unpricedItems, counts } = job
  if (counts.succeeded === 0 && costUsd === 0) return undefined
  const soFar = isOver(job) ? '' : ' so far'
  if (unpricedItems === 0) return `${cost(costUsd)}${soFar}`
  if (unpricedItems >= counts.succeeded) return cost(null)
  return `${cost(costUsd)}${soFar}, ${cost(null)} for ${count(unpricedItems)}`
}

/** `Nov 27, 2026, 3:04 PM`. */
export function dateTime(time: string): string {
  return new Date(time).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })
}

const clockTime = (time: string): string => new Date(time).toLocaleTimeString('en', { timeStyle: 'medium' })

const count = (amount: number): string => amount.toLocaleString('en')
