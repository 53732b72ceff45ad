/** The nearest-rank percentile of samples in ascending order; `undefined` when there are none. */
export function percentile(ascending: readonly number[], percent: number): number | undefined {
  const rank = Math.ceil((percent / 100) * ascending.length)
  return ascending[Math.max(rank, 1) - 1]
}

/** The middle sample, or the mean of the middle two; `undefined` when there are none. */
export function median(samples: readonly number[]): number | undefined {
  const ascending = samples.toSorted((a, b) => a - b)
  const upper = ascending[Math.floor(ascending.length / 2)]
  const lower = ascending[Math.floor((ascending.length - 1) / 2)]
  return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2
}
