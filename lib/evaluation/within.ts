import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'

/** Lets the model's own timeout, which knows what it waited for, come first. */
const GRACE_MS = 250

export type WithinOptions = Readonly<{ clock: Clock; limitMs: number; signal: AbortSignal }>

const tooLate = (limitMs: number): GatewayError =>
  new GatewayError('TIMEOUT', `The evaluation wasn't finished within ${Math.round(limitMs) / 1000} s.`)

/** Does work whose signal aborts with TIMEOUT a moment after `limitMs`, and then waits for it no longer. */
export const within = async <Value>(
  { clock, limitMs, signal }: WithinOptions,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> => {
  const late = new AbortController()
  const either = AbortSignal.any([signal, late.signal])
  const ended = Promise.withResolvers<never>()
  const timer = clock.timer(Math.max(0, limitMs) + GRACE_MS, () => {
    late.abort(tooLate(limitMs))
    ended.reject(late.signal.reason)
  })
  try {
    return await Promise.race([work(either), ended.promise])
  } finally {
    timer.cancel()
  }
}
