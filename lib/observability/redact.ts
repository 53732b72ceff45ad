const MASK = '***'
const SHORTEST_SECRET = 6

/** Patterns of credentials that must not be logged, of any owner. */
const CREDENTIALS =
  /\b(?:sk|pk|rk|gsk|xai|ghp|gho|ghs|github_pat|AIza)[-_][\w-]{8,}|\bBearer\s+[\w.~+/=-]{8,}|:\/\/[^\s/:@]+:[^\s/@]+@/gi

/** Masks this gateway's own secrets, and anything that looks like a credential. */
export type Redact = (text: string) => string

/** @param secrets the configured keys, tokens and passwords; those shorter than 6 characters are not masked. */
export const redactor = (secrets: readonly string[]): Redact => {
  const own = [...new Set(secrets)]
    .filter(secret => secret.length >= SHORTEST_SECRET)
    .toSorted((a, b) => b.length - a.length)
  return text => {
    let clean = text
    for (const secret of own) if (clean.includes(secret)) clean = clean.replaceAll(secret, MASK)
    return clean.replace(CREDENTIALS, MASK)
  }
}
