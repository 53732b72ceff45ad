import type { ErrorFacts } from './error-body.ts'

/** Anything with header look-up: `Headers`, or a provider client's own. */
export type HeaderLookup = { get(name: string): string | null }

const positive = (milliseconds: number): number | undefined =>
  Number.isFinite(milliseconds) && milliseconds >= 0 ? milliseconds : undefined

/**
 * When the upstream wants to be asked again, in whole seconds and at least 1; absent where it does not say so
 * or says nonsense. Reads `retry-after-ms` (OpenAI) and `Retry-After` as seconds or an HTTP date (RFC 9110).
 */
export const retryAfterSeconds = (headers: HeaderLookup, nowMs: number): number | undefined => {
  const inMs = headers.get('retry-after-ms')
  const plain = headers.get('retry-after')?.trim()
  const wait =
    (inMs ? positive(Number(inMs)) : undefined) ??
    (plain && /^-?[\d.]+$/.test(plain) ? positive(Number(plain) * 1000) : undefined) ??
    (plain && /[a-z]/i.test(plain) ? positive(Date.parse(plain) - nowMs) : undefined)
  return wait === undefined ? undefined : Math.max(1, Math.ceil(wait / 1000))
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
/** `in 7.66s`, `after 7 seconds`, `wait 43 seconds`, `in 1m30.5s`: Groq, OpenAI, Azure, GitHub Models. */
const SENTENCE =
  /(?:try again in|retry (?:in|after)|please wait) ((?:\d+(?:\.\d+)?(?:ms|[hms]))+|\d+(?:\.\d+)? ?s)(?:econds?)?\b/i
const PART = /(\d+(?:\.\d+)?) ?(ms|[hms])/gi

/** When an error itself says to ask again, in whole seconds and at least 1: `retryDelay: "36s"` (Google), or a sentence. */
export const retryAfterSecondsIn = ({ retryDelay, message }: ErrorFacts): number | undefined => {
  const told = retryDelay ?? SENTENCE.exec(message)?.[1]
  if (!told || (retryDelay !== undefined && !/^\d+(?:\.\d+)?s$/.test(retryDelay))) return undefined
  let milliseconds = 0
  for (const [, count, unit] of told.matchAll(PART))
    milliseconds += Number(count) * (UNIT_MS[unit?.toLowerCase() ?? ''] ?? 0)
  return Math.max(1, Math.ceil(milliseconds / 1000))
}
