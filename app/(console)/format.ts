const dollars = new Intl.NumberFormat('en', {
  style: 'currency',
  currency: 'USD',
  minimumFractionDigits: 0,
  maximumSignificantDigits: 3,
})

/** `$0.00123`, `about $0.00123` where estimated; `null` is an unknown price, which is not the same as zero. */
export function cost(costUsd: number | null, isEstimated = false): string {
  if (costUsd === null) return 'price unknown'
  return `${isEstimated && costUsd > 0 ? 'about ' : ''}${dollars.format(costUsd)}`
}

/** `1,200 tokens in, 85 out`. */
export function tokens({ inputTokens, outputTokens }: { inputTokens: number; outputTokens: number }): string {
  return `${inputTokens.toLocaleString('en')} tokens in, ${outputTokens.toLocaleString('en')} out`
}

/** `340 ms`, `2.4 s`. */
export function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

/** `8 seconds`, `3 minutes`, `5 hours`: how long to wait, rounded up. */
export function wait(seconds: number): string {
  if (seconds < 100) return plural(seconds, 'second')
  if (seconds < 100 * 60) return plural(Math.ceil(seconds / 60), 'minute')
  return plural(Math.ceil(seconds / 3_600), 'hour')
}

/** `1 item`, `1,200 items`. */
export function plural(count: number, unit: string): string {
  return `${count.toLocaleString('en')} ${unit}${count === 1 ? '' : 's'}`
}
