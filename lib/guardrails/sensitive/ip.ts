import { isIPv6 } from 'node:net'
import { codeAt, isAlphanumeric, isDigit, isHex, isWord, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

const DOT = 46
const COLON = 58
const MOST_V4 = 15
const MOST_V6 = 45
const MOST_GROUP = 4

const OCTETS = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/
/** What every IPv4 address has, and every IPv6 address. */
const TWO_OCTETS = /\d\.\d/
const TWO_COLONS = /:[\dA-Fa-f]{0,4}:/
/** Four numbers after these are a version, a section or an object identifier. */
const NO_ADDRESS_BEFORE =
  /(?:\bv(?:er(?:sion)?)?\.?|\bversion\s+is|\brelease|\bsection|\bchapter|§|\boid|\bbuild|[\^~]|[<>=]=|@)\s*$/i

const isDotted = (code: number): boolean => isDigit(code) || code === DOT

const v4At = (text: string, start: number, isLast: boolean): Outcome => {
  const previous = codeAt(text, start - 1)
  if (isWord(previous) || previous === DOT || (previous === 45 && isAlphanumeric(codeAt(text, start - 2))))
    return undefined
  const limit = runEnd(text, start, MOST_V4 + 2, isDotted)
  if (limit + 1 >= text.length && !isLast && limit - start <= MOST_V4 + 1) return OPEN
  // A full stop after it ends the sentence.
  const end = codeAt(text, limit - 1) === DOT ? limit - 1 : limit
  if (end - start > MOST_V4 || !OCTETS.test(text.slice(start, end))) return undefined
  const next = codeAt(text, end)
  if (isWord(next) || (next === 45 && isAlphanumeric(codeAt(text, end + 1)))) return undefined
  if (NO_ADDRESS_BEFORE.test(text.slice(Math.max(0, start - 24), start))) return undefined
  return { end, kind: 'ip', rule: 'ipv4', score: 0.95 }
}

const isV6Part = (code: number): boolean => isHex(code) || code === COLON || code === DOT

/** Scopes of programming languages (`a::b`) and times have no digit group or no double colon: they are no addresses. */
const isAddress = (text: string): boolean => {
  if (!isIPv6(text)) return false
  const groups = text.split(':').filter(group => group !== '')
  return (
    groups.length === 8 || (groups.length > 1 && /\d/.test(text) && groups.some(group => group.length > 2))
  )
}

const v6At = (text: string, start: number, isLast: boolean): Outcome => {
  const previous = codeAt(text, start - 1)
  if (isWord(previous) || previous === COLON || previous === DOT) return undefined
  const group = runEnd(text, start, MOST_GROUP, isHex)
  if (group < text.length && codeAt(text, group) !== COLON) return undefined
  const limit = runEnd(text, start, MOST_V6 + 2, isV6Part)
  if (limit >= text.length && !isLast && limit - start <= MOST_V6 + 1) return OPEN
  const last = codeAt(text, limit - 1)
  const end = last === DOT || (last === COLON && codeAt(text, limit - 2) !== COLON) ? limit - 1 : limit
  if (end - start > MOST_V6 || end - start < 4 || isWord(codeAt(text, limit))) return undefined
  return isAddress(text.slice(start, end)) ? { end, kind: 'ip', rule: 'ipv6', score: 0.95 } : undefined
}

/** IPv4 in dotted decimals; four numbers of a version are left out. */
export const ipv4: Detector = {
  name: 'ipv4',
  longest: MOST_V4 + 3,
  starts: isDigit,
  atWordStart: true,
  signs: [TWO_OCTETS],
  at: v4At,
}

/** IPv6 in each of its written forms (RFC 4291). */
export const ipv6: Detector = {
  name: 'ipv6',
  longest: MOST_V6 + 2,
  starts: code => isHex(code) || code === COLON,
  atWordStart: false,
  signs: [TWO_COLONS],
  at: v6At,
}
