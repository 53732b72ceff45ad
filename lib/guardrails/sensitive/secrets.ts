import { type CodeTest, codeAt, isWord, oneOf, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'
import { ALPHABETS, SECRET_FORMATS, type SecretFormat } from './secret-formats.ts'

const TESTS = Object.fromEntries(
  Object.entries(ALPHABETS).map(([name, pattern]) => [name, oneOf(pattern)]),
) as Readonly<Record<SecretFormat['alphabet'], CodeTest>>

/** A full stop or hyphen at its end belongs to the sentence. */
const trimmed = (text: string, start: number, end: number): number => {
  let last = end
  while (last > start && (codeAt(text, last - 1) === 46 || codeAt(text, last - 1) === 45)) last -= 1
  return last
}

/** Whether the text ends within the prefix. */
const isPrefixOpen = (text: string, start: number, prefix: string): boolean =>
  text.length - start < prefix.length && prefix.startsWith(text.slice(start))

const formatAt = (text: string, start: number, isLast: boolean, format: SecretFormat): Outcome => {
  const { rule, prefix, alphabet, min, max = min, shape } = format
  if (!text.startsWith(prefix, start)) return !isLast && isPrefixOpen(text, start, prefix) ? OPEN : undefined
  const from = start + prefix.length
  const limit = runEnd(text, from, max + 1, TESTS[alphabet])
  if (limit >= text.length && limit - from <= max && !isLast) return OPEN
  const end = trimmed(text, from, limit)
  const length = end - from
  if (length < min || length > max || isWord(codeAt(text, end))) return undefined
  if (shape && !shape.test(text.slice(from, end))) return undefined
  return { end, kind: 'secret', rule, score: 0.98 }
}

const byFirst = Array.from({ length: 128 }, (_, code) =>
  SECRET_FORMATS.filter(({ prefix }) => prefix.charCodeAt(0) === code),
)

const at = (text: string, start: number, isLast: boolean): Outcome => {
  let isOpen = false
  const second = codeAt(text, start + 1)
  for (const format of byFirst[codeAt(text, start)] ?? []) {
    if (second !== codeAt(format.prefix, 1) && !Number.isNaN(second)) continue
    const outcome = formatAt(text, start, isLast, format)
    if (outcome === OPEN) isOpen = true
    else if (outcome) return isOpen ? OPEN : outcome
  }
  return isOpen ? OPEN : undefined
}

const LONGEST = Math.max(...SECRET_FORMATS.map(({ prefix, min, max = min }) => prefix.length + max + 1))

const SHORTEST = Math.min(...SECRET_FORMATS.map(({ prefix, min }) => prefix.length + min))
/** A run of characters of prefixes and alphabets, as long as the shortest secret. */
const RUN = new RegExp(`[\\w+/=.-]{${SHORTEST}}`)

/** Keys and tokens of known vendors, by prefix, alphabet and length. */
export const vendorSecret: Detector = {
  name: 'vendor-secret',
  longest: LONGEST,
  starts: code => (byFirst[code] ?? []).length > 0,
  atWordStart: true,
  signs: [RUN],
  at,
}
