import { codeAt, isAlphanumeric, isDigit, isLetter } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'
import { mod97 } from './checksums.ts'

/** Length of an IBAN by country: SWIFT's IBAN registry, release 99. */
const LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HN: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MN: 20,
  MR: 27,
  MT: 31,
  MU: 30,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
  YE: 30,
}

/** Lengths of IBANs by the last five bits of both letters of the country, which are the same in either case. */
const LENGTH_BY_CODES = new Uint8Array(1024)
for (const [country, length] of Object.entries(LENGTHS))
  LENGTH_BY_CODES[((codeAt(country, 0) & 31) << 5) | (codeAt(country, 1) & 31)] = length

/** What every IBAN begins with. */
const COUNTRY_AND_CHECK = /[A-Za-z]{2}\d\d/

/** The longest IBAN, a separator after each fourth character, and one character after it. */
const LONGEST = 33 + 8 + 1

/** ISO 13616: the first four characters at the end, letters as numbers, remainder 1. */
const isValid = (iban: string): boolean => mod97(iban.slice(4) + iban.slice(0, 4)) === 1

const at = (text: string, start: number, isLast: boolean): Outcome => {
  if (start + 1 >= text.length) return isLast ? undefined : OPEN
  const length = LENGTH_BY_CODES[((codeAt(text, start) & 31) << 5) | (codeAt(text, start + 1) & 31)] ?? 0
  if (length === 0 || !isLetter(codeAt(text, start + 1))) return undefined
  let count = 0
  let position = start
  while (count < length) {
    if (position >= text.length) return isLast ? undefined : OPEN
    const code = codeAt(text, position)
    const isFitting = count === 2 || count === 3 ? isDigit(code) : isAlphanumeric(code)
    const isGap = (code === 32 || code === 45) && count > 3 && isAlphanumeric(codeAt(text, position - 1))
    if (isFitting) count += 1
    else if (!isGap) return undefined
    position += 1
  }
  if (position >= text.length && !isLast) return OPEN
  if (isAlphanumeric(codeAt(text, position))) return undefined
  const iban = text.slice(start, position).replace(/[ -]/g, '')
  if (!isValid(iban)) return undefined
  return { end: position, kind: 'iban', rule: `iban-${iban.slice(0, 2).toLowerCase()}`, score: 0.99 }
}

/** International bank account numbers: country, its length, check digits. */
export const iban: Detector = {
  name: 'iban',
  longest: LONGEST,
  starts: isLetter,
  atWordStart: true,
  signs: [COUNTRY_AND_CHECK],
  at,
}
