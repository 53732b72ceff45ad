/**
 * How fast this machine is at the moment. A virtual machine whose host is busy takes up to twice as long for the same
 * work, in CPU time too, for seconds or for an hour; no system says so. Bounds are promises about a quiet one.
 */

/** The time that {@link timeOfWork} returns on the quiet machine, a Xeon at 2.5 GHz. */
const REFERENCE_MS = 0.1
const RUNS = 25

/** What the work is done with. */
export const TEXT = JSON.stringify(
  Array.from({ length: 100 }, (_, n) => ({
    role: 'user',
    content: `Some words of message ${n}`,
    list: [n, 2, 3],
  })),
)

/** How long a small piece of work takes now, of the kind that a gateway mostly does. */
export const timeOfWork = (text: string): number => {
  const startedAt = performance.now()
  JSON.stringify(JSON.parse(text))
  return performance.now() - startedAt
}

/** How many times as long as on the quiet machine it took, by the median of several runs; at least 1. */
export const slownessOf = (times: readonly number[]): number => {
  const median = times.toSorted((a, b) => a - b)[times.length >> 1]
  return Math.max(1, (median ?? REFERENCE_MS) / REFERENCE_MS)
}

/** Likewise, now: measured for about 4 ms. */
export const slowness = (): number => slownessOf(Array.from({ length: RUNS }, () => timeOfWork(TEXT)))
