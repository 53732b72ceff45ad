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
  queued: 'Waiting',
  running: 'Running',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
} as const

/** `Running`, `Completed, 2 failed`. */
export function stateAsWords({ state, counts: { failed } }: Job): string {
  return failed > 0 && state !== 'failed' ? `${STATES[state]}, ${count(failed)} failed` : STATES[state]
}

/** How many items have ended, with other counts. */
export function countsAsWords({ counts }: Job): string {
  const { total, succeeded, failed, cancelled } = counts
  const others = [failed > 0 && `${count(failed)} failed`, cancelled > 0 && `${count(cancelled)} cancelled`]
  return [`${count(succeeded)} of ${count(total)} succeeded`, ...others].filter(Boolean).join(', ')
}

/** `about 3 minutes left`; undefined where unknown. */
export function timeLeftAsWords({ etaSeconds }: Job): string | undefined {
  return etaSeconds === null ? undefined : `about ${wait(Math.max(1, etaSeconds))} left`
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

const count = (amount: number): string => amount.toLocaleString('en')
