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

/**
 * The upstream's retry delay in whole seconds, from 1 to a year; undefined where it is missing or invalid. Reads
 * `retry-after-ms` (OpenAI) and `Retry-After` as seconds or an HTTP date (RFC 9110).
 */
export const retryAfterSeconds = (headers: HeaderLookup, nowMs: number): number | undefined => {
  const inMs = headers.get('retry-after-ms')
  const plain = headers.get('retry-after')?.trim()
  return (
    (inMs ? waitSeconds(Number(inMs)) : undefined) ??
    (plain && /^-?[\d.]+$/.test(plain) ? waitSeconds(Number(plain) * 1000) : undefined) ??
    (plain && /[a-z]/i.test(plain) ? waitSeconds(Date.parse(plain) - nowMs) : undefined)
  )
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
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
