import { codeAt, isAlphanumeric, isDigit, isWord, oneOf, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

const MOST_LOCAL = 64
const MOST_DOMAIN = 190
const AT = 64
const DOT = 46

/** Letters of Latin, Greek and Cyrillic beyond ASCII, as internationalised addresses have them (RFC 6531). */
const isAccented = (code: number): boolean => code >= 0xc0 && code <= 0x52f && code !== 0xd7 && code !== 0xf7

const isPlainLocal = oneOf(/[\w%'+.-]/)
const isLocal = (code: number): boolean => isPlainLocal(code) || isAccented(code)
/** An address begins with one of these; a quote or bracket before it is not part of it. */
const isFirst = (code: number): boolean => isWord(code) || isAccented(code)
const isDomain = (code: number): boolean =>
  isAlphanumeric(code) || isAccented(code) || code === 45 || code === DOT

/** Names of files and packages that look like addresses: `icon@2x.png`, `left-pad@1.3.0.tgz`. */
const FILE = /^(?:png|jpe?g|gif|svg|webp|css|js|ts|json|tgz|zip|html?|md|txt|pdf|exe|dll|so|py|rb|jar)$/i

/** The end of the domain: labels, the last one of letters; undefined where it is none. */
const domainEnd = (text: string, start: number, limit: number): number | undefined => {
  let end = limit
  while (end > start && !isAlphanumeric(codeAt(text, end - 1)) && !isAccented(codeAt(text, end - 1))) end -= 1
  const labels = text.slice(start, end).split('.')
  const last = labels.at(-1) ?? ''
  const isName = labels.every(label => label !== '' && !label.startsWith('-') && !label.endsWith('-'))
  const isTop =
    last.length > 1 && ![...last].some(character => isDigit(codeAt(character, 0))) && !FILE.test(last)
  return labels.length > 1 && isName && (isTop || last.startsWith('xn--')) ? end : undefined
}

/** An address that could begin here would have begun before; `@name@host` is the name of an account. */
const isContinued = (text: string, start: number): boolean => {
  const previous = codeAt(text, start - 1)
  return isFirst(previous) || previous === AT || (isLocal(previous) && isFirst(codeAt(text, start - 2)))
}

/** Not a person's address: how repositories are cloned. */
const isRepository = (text: string, start: number): boolean => text.startsWith('git@', start)

const at = (text: string, start: number, isLast: boolean): Outcome => {
  if (!isFirst(codeAt(text, start)) || isContinued(text, start)) return undefined
  const sign = runEnd(text, start, MOST_LOCAL + 1, isLocal)
  if (sign >= text.length) return isLast || sign - start > MOST_LOCAL ? undefined : OPEN
  if (codeAt(text, sign) !== AT || sign - start > MOST_LOCAL || codeAt(text, sign - 1) === DOT)
    return undefined
  const limit = runEnd(text, sign + 1, MOST_DOMAIN, isDomain)
  if (limit >= text.length && !isLast) return OPEN
  const end = domainEnd(text, sign + 1, limit)
  return end === undefined || isRepository(text, start)
    ? undefined
    : { end, kind: 'email', rule: 'email', score: 0.98 }
}

/**
 * E-mail addresses (RFC 5321, RFC 6531) with the characters that are in use: no quoted local parts, none of the signs
 * that separate an address from what stands before it (`=`, `/`, `&`), no domain without a dot.
 */
export const email: Detector = {
  name: 'email',
  longest: MOST_LOCAL + 1 + MOST_DOMAIN + 1,
  starts: code => isFirst(code) || code > 127,
  atWordStart: false,
  signs: ['@'],
  at,
}
