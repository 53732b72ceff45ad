const MASK = '***'
const SHORTEST_SECRET = 6
/** A base64 text of fewer characters may be a coincidence. */
const SHORTEST_ENCODED = 8

/** Patterns of credentials that must not be logged, of any owner. */
const CREDENTIALS =
  /\b(?:sk|pk|rk|gsk|xai|ghp|gho|ghs|github_pat|AIza)[-_][\w-]{8,}|\bBearer\s+[\w.~+/=-]{8,}|:\/\/[^\s/:@]+:[^\s/@]+@/gi

/** Masks this gateway's own secrets, also encoded ones, and anything that looks like a credential. */
export type Redact = (text: string) => string

const BASE64_GROUP = 3

/**
 * The base64 characters that depend on a text alone. Which they are depends on how many bytes stand before it, as in
 * `Basic` credentials.
 */
const base64Forms = (bytes: Buffer): string[] =>
  [0, 1, 2].flatMap(before => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes])
    const whole = padded.length - (padded.length % BASE64_GROUP)
    const first = before === 0 ? 0 : before + 1
    return (['base64', 'base64url'] as const).map(encoding =>
      padded.subarray(0, whole).toString(encoding).slice(first),
    )
  })

const jsonText = (text: string): string => JSON.stringify(text).slice(1, -1)

const percentForms = (text: string): string[] => {
  const upper = [encodeURIComponent(text), new URLSearchParams({ '': text }).toString().slice(1)]
  return upper.flatMap(form => [form, form.replace(/%../g, code => code.toLowerCase())])
}

/** A secret as it may be written in a message: as it is, in JSON (also within JSON), in a URL, in base64, in hex. */
const formsOf = (secret: string): readonly string[] => {
  const bytes = Buffer.from(secret)
  const hex = bytes.toString('hex')
  const json = jsonText(secret)
  const encoded = [...base64Forms(bytes), hex, hex.toUpperCase()]
  return [
    secret,
    json,
    jsonText(json),
    ...percentForms(secret.toWellFormed()),
    ...encoded.filter(form => form.length >= SHORTEST_ENCODED),
  ]
}

/** `unencoded` masks secrets only as they are, and as JSON writes them: a tenth of the work, for every line of a log. */
export type Redactor = Redact & Readonly<{ unencoded: Redact }>

const masking =
  (forms: readonly string[]): Redact =>
  text => {
    let clean = text
    for (const form of forms) if (clean.includes(form)) clean = clean.replaceAll(form, MASK)
    return clean.replace(CREDENTIALS, MASK)
  }

const longestFirst = (forms: readonly string[]): readonly string[] =>
  [...new Set(forms)].toSorted((a, b) => b.length - a.length)

/** @param secrets the configured keys, tokens and passwords; those shorter than 6 characters are not masked. */
export const redactor = (secrets: readonly string[]): Redactor => {
  const own = secrets.filter(secret => secret.length >= SHORTEST_SECRET)
  const unencoded = masking(longestFirst(own.flatMap(secret => [secret, jsonText(secret)])))
  return Object.assign(masking(longestFirst(own.flatMap(formsOf))), { unencoded })
}
