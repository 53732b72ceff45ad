import type { RateHeadroom } from '../../types.ts'
import type { ErrorFacts } from './error-body.ts'

/** Anything with header look-up: `Headers`, or a provider client's own. */
export type HeaderLookup = { get(name: string): string | null }

/** A year. No limit lasts longer, and far larger values cannot be written as plain numbers. */
const MAX_WAIT_SECONDS = 31_536_000

/** A wait in whole seconds, at least 1 and at most a year; undefined where it is negative or not finite. */
export const waitSeconds = (milliseconds: number): number | undefined =>
  Number.isFinite(milliseconds) && milliseconds >= 0
    ? Math.min(MAX_WAIT_SECONDS, Math.max(1, Math.ceil(milliseconds / 1000)))
    : undefined

/** The upstream's retry delay as `retry-after-ms` (OpenAI); undefined where it is missing or invalid. */
export const retryAfterMs = (headers: HeaderLookup): number | undefined => {
  const written = headers.get('retry-after-ms')
  const milliseconds = written ? Number(written) : Number.NaN
  return Number.isFinite(milliseconds) && milliseconds >= 0
    ? Math.min(milliseconds, MAX_WAIT_SECONDS * 1000)
    : undefined
}

/**
 * The upstream's retry delay in whole seconds, from 1 to a year; undefined where it is missing or invalid. Reads
 * `retry-after-ms` (OpenAI) and `Retry-After` as seconds or an HTTP date (RFC 9110).
 */
export const retryAfterSeconds = (headers: HeaderLookup, nowMs: number): number | undefined => {
  const exactMs = retryAfterMs(headers)
  const plain = headers.get('retry-after')?.trim()
  return (
    (exactMs === undefined ? undefined : waitSeconds(exactMs)) ??
    (plain && /^-?[\d.]+$/.test(plain) ? waitSeconds(Number(plain) * 1000) : undefined) ??
    (plain && /[a-z]/i.test(plain) ? waitSeconds(Date.parse(plain) - nowMs) : undefined)
  )
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
/** `in 7.66s`, `after 7 seconds`, `wait 43 seconds`, `in 1m30.5s`: Groq, OpenAI, Azure, GitHub Models. */
const SENTENCE =
  /(?:try again in|retry (?:in|after)|please wait) ((?:\d+(?:\.\d+)?(?:ms|[hms]))+|\d+(?:\.\d+)? ?s)(?:econds?)?\b/i
const PART = /(\d+(?:\.\d+)?) ?(ms|[hms])/gi

/** The retry delay in an error body, in whole seconds: `retryDelay: "36s"` (Google), or a sentence. */
export const retryAfterSecondsIn = ({ retryDelay, message }: ErrorFacts): number | undefined => {
  const delay = retryDelay ?? SENTENCE.exec(message)?.[1]
  if (!delay || (retryDelay !== undefined && !/^\d+(?:\.\d+)?s$/.test(retryDelay))) return undefined
  let milliseconds = 0
  for (const [, count, unit] of delay.matchAll(PART))
    milliseconds += Number(count) * (UNIT_MS[unit?.toLowerCase() ?? ''] ?? 0)
  return waitSeconds(milliseconds)
}

const DURATION_PART = /(\d+(?:\.\d+)?)(ms|[smhd])/g
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
    for (const [, count, unit] of value.matchAll(DURATION_PART))
      total += Number(count) * (UNIT_MS[unit ?? ''] ?? 0)
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
