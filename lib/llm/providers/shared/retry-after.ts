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
