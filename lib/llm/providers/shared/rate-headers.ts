import type { RateHeadroom } from '../../types.ts'
import { type HeaderLookup, waitSeconds } from './retry-after.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/

/** From these values on a plain number is a Unix time instead of a duration: in seconds, and in milliseconds. */
const FIRST_EPOCH_SECONDS = 1e9
const FIRST_EPOCH_MS = 1e12

const untilNumberMs = (value: number, nowMs: number): number => {
  if (value < FIRST_EPOCH_SECONDS) return value * 1_000
  return (value < FIRST_EPOCH_MS ? value * 1_000 : value) - nowMs
}

/** Milliseconds until a reset: `6m0s`, `12ms` (OpenAI, Groq), seconds, or a moment (Anthropic, OpenRouter). */
const untilMs = (value: string, nowMs: number): number => {
  if (DURATION.test(value)) {
    let total = 0
    for (const [, count, unit] of value.matchAll(PART)) total += Number(count) * (UNIT_MS[unit ?? ''] ?? 0)
    return total
  }
  return /^\d+(\.\d+)?$/.test(value) ? untilNumberMs(Number(value), nowMs) : Date.parse(value) - nowMs
}

const KINDS = ['requests', 'tokens'] as const
const NAMES = KINDS.flatMap(kind => [
  [`x-ratelimit-limit-${kind}`, `x-ratelimit-remaining-${kind}`, `x-ratelimit-reset-${kind}`] as const,
  [
    `anthropic-ratelimit-${kind}-limit`,
    `anthropic-ratelimit-${kind}-remaining`,
    `anthropic-ratelimit-${kind}-reset`,
  ] as const,
])

/**
 * An upstream's remaining rate limit: of requests or of tokens, whichever is tighter. Absent where the headers are
 * missing or invalid.
 *
 * Sources: platform.openai.com/docs/guides/rate-limits, docs.anthropic.com/en/api/rate-limits,
 * console.groq.com/docs/rate-limits.
 */
export const rateHeadroomOf = (headers: HeaderLookup, nowMs: number): RateHeadroom | undefined => {
  let tightest: RateHeadroom | undefined
  for (const [limitName, remainingName, resetName] of NAMES) {
    const [limit, remaining, reset] = [
      headers.get(limitName),
      headers.get(remainingName),
      headers.get(resetName),
    ]
    if (!limit || !remaining || !reset) continue
    const share = Number(remaining) / Number(limit)
    const resetAt = nowMs + untilMs(reset.trim(), nowMs)
    if (!(share >= 0 && share <= 1) || !(resetAt >= nowMs)) continue
    if (!tightest || share < tightest.share) tightest = { share, resetAt }
  }
  return tightest
}

/**
 * Seconds until an exhausted limit resets, from 1 to a year: the later one where requests and tokens both are
 * exhausted. Absent where no limit is exhausted, or its reset is invalid.
 */
export const resetSeconds = (headers: HeaderLookup, nowMs: number): number | undefined => {
  const waits = NAMES.flatMap(([, remainingName, resetName]) => {
    const reset = headers.get(resetName)?.trim()
    if (!reset || headers.get(remainingName)?.trim() !== '0') return []
    return waitSeconds(untilMs(reset, nowMs)) ?? []
  })
  return waits.length > 0 ? Math.max(...waits) : undefined
}
