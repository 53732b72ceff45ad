import { digit, isLuhn, isMod11And10, isMonthAndDay, isVerhoeff, mod97, weighted } from './checksums.ts'
import { isAfter, isUniform, type NumberKind, type WrittenNumber } from './numbers.ts'

/**
 * National numbers of digits alone. A number whose check is weak (one in ten random numbers passes) counts only in its
 * official grouping or after a word for it.
 */
interface NationalNumber {
  readonly rule: string
  readonly length: number
  readonly isValid: (digits: string) => boolean
  /** Groupings with their separators, such as `3-2-4`, that are enough without a word before. */
  readonly written?: readonly string[]
  /** Words that stand before it. */
  readonly words?: RegExp
  /** The check is strong enough without grouping or word. */
  readonly isStrong?: boolean
}

/** What `3-2-4` says of a number: groups and separators as they are written. */
const writtenAs = ({ grouping, separators }: WrittenNumber): string =>
  grouping.map((length, index) => `${length}${separators.charAt(index)}`).join('')

const number = (digits: string, from: number, to: number): number => Number(digits.slice(from, to))

/** Area, group and serial number as the Social Security Administration gives them out since 2011. */
const isSsn = (digits: string): boolean => {
  const area = number(digits, 0, 3)
  return (
    area !== 0 &&
    area !== 666 &&
    area < 900 &&
    number(digits, 3, 5) !== 0 &&
    number(digits, 5, 9) !== 0 &&
    !/^(?:123456789|078051120|219099999|(\d)\1{8})$/.test(digits)
  )
}

const isNir = (digits: string): boolean =>
  /^[12347]/.test(digits) &&
  number(digits, 3, 5) > 0 &&
  97 - mod97(digits.slice(0, 13)) === number(digits, 13, 15)

const isBelgian = (digits: string): boolean => {
  const check = number(digits, 9, 11)
  const isDate = isMonthAndDay(number(digits, 2, 4) % 20, number(digits, 4, 6))
  return (
    isDate && [mod97(digits.slice(0, 9)), mod97(`2${digits.slice(0, 9)}`)].some(rest => 97 - rest === check)
  )
}

const elevenCheck = (digits: string, weights: readonly number[]): number => {
  const rest = weighted(digits, weights) % 11
  return rest < 2 ? 0 : 11 - rest
}

const isCpf = (digits: string): boolean =>
  !/^(\d)\1{10}$/.test(digits) &&
  elevenCheck(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(digits, 9) &&
  elevenCheck(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === digit(digits, 10)

const isPesel = (digits: string): boolean =>
  isMonthAndDay(number(digits, 2, 4) % 20, number(digits, 4, 6)) &&
  weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0

const isNorwegian = (digits: string): boolean =>
  isMonthAndDay(number(digits, 2, 4), number(digits, 0, 2) % 40) &&
  weighted(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
  weighted(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0

const isTurkish = (digits: string): boolean => {
  const odd = weighted(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1])
  const even = weighted(digits, [0, 1, 0, 1, 0, 1, 0, 1])
  const sum = weighted(digits, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
  return (
    digit(digits, 0) !== 0 &&
    (((odd * 7 - even) % 10) + 10) % 10 === digit(digits, 9) &&
    sum % 10 === digit(digits, 10)
  )
}

const isSwedish = (digits: string): boolean => {
  const short = digits.slice(-10)
  return isMonthAndDay(number(short, 2, 4), number(short, 4, 6) % 60) && isLuhn(short)
}

const isKorean = (digits: string): boolean =>
  isMonthAndDay(number(digits, 2, 4), number(digits, 4, 6)) &&
  (11 - (weighted(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]) % 11)) % 10 === digit(digits, 12)

const isNhs = (digits: string): boolean =>
  weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 && !/^(\d)\1{9}$/.test(digits)

const isBsn = (digits: string): boolean =>
  weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && number(digits, 0, 9) > 0

const isGermanTaxNumber = (digits: string): boolean => {
  const counts = new Map<string, number>()
  for (const character of digits.slice(0, 10)) counts.set(character, (counts.get(character) ?? 0) + 1)
  const most = Math.max(...counts.values())
  return digits.charAt(0) !== '0' && (most === 2 || most === 3) && isMod11And10(digits)
}

const NUMBERS: readonly NationalNumber[] = [
  {
    rule: 'us-ssn',
    length: 9,
    isValid: isSsn,
    written: ['3-2-4', '3 2 4'],
    words: /\b(?:ssn|social security)\b/i,
  },
  {
    rule: 'uk-nhs',
    length: 10,
    isValid: isNhs,
    words: /\bnhs\b/i,
  },
  {
    rule: 'fr-nir',
    length: 15,
    isValid: isNir,
    isStrong: true,
  },
  {
    rule: 'be-national-number',
    length: 11,
    isValid: isBelgian,
    isStrong: true,
  },
  {
    rule: 'br-cpf',
    length: 11,
    isValid: isCpf,
    written: ['3.3.3-2'],
    words: /\bcpf\b/i,
  },
  {
    rule: 'no-birth-number',
    length: 11,
    isValid: isNorwegian,
    isStrong: true,
  },
  {
    rule: 'tr-identity-number',
    length: 11,
    isValid: isTurkish,
    words: /\b(?:tc|t\.c\.|tckn|kimlik)/i,
  },
  {
    rule: 'pl-pesel',
    length: 11,
    isValid: isPesel,
    words: /\bpesel\b/i,
  },
  {
    rule: 'de-tax-number',
    length: 11,
    isValid: isGermanTaxNumber,
    written: ['2 3 3 3'],
    words: /\b(?:steuer|idnr|tin\b|tax id)/i,
  },
  {
    rule: 'nl-bsn',
    length: 9,
    isValid: isBsn,
    words: /\b(?:bsn|burgerservicenummer|sofinummer)\b/i,
  },
  {
    rule: 'ca-sin',
    length: 9,
    isValid: isLuhn,
    words: /\b(?:sin|nas|social insurance|assurance sociale)\b/i,
  },
  {
    rule: 'se-personal-number',
    length: 10,
    isValid: isSwedish,
    written: ['6-4'],
    words: /\bperson(?:al )?(?:nummer|number)\b/i,
  },
  {
    rule: 'se-personal-number',
    length: 12,
    isValid: isSwedish,
    written: ['8-4'],
    words: /\bpersonnummer\b/i,
  },
  {
    rule: 'kr-registration-number',
    length: 13,
    isValid: isKorean,
    written: ['6-7'],
    words: /주민/,
  },
  {
    rule: 'za-identity-number',
    length: 13,
    isValid: digits => isMonthAndDay(number(digits, 2, 4), number(digits, 4, 6)) && isLuhn(digits),
    words: /\b(?:id number|identity number|said)\b/i,
  },
  {
    rule: 'in-aadhaar',
    length: 12,
    isValid: digits => digit(digits, 0) > 1 && isVerhoeff(digits),
    written: ['4 4 4', '4-4-4'],
    words: /\b(?:aadhaar|aadhar|uidai)\b|आधार/i,
  },
]

const lengths = [...new Set(NUMBERS.map(({ length }) => length))]
const BY_LENGTH = new Map(lengths.map(each => [each, NUMBERS.filter(({ length }) => length === each)]))

/** National identity, tax and health numbers of digits, by country. */
export const nationalNumber: NumberKind = {
  kind: 'national-number',
  lengths,
  isPossible: digits => BY_LENGTH.get(digits.length)?.some(({ isValid }) => isValid(digits)) ?? false,
  check: written => {
    const { digits, before } = written
    for (const { rule, isValid, words, isStrong, written: forms } of BY_LENGTH.get(digits.length) ?? []) {
      if (!isValid(digits)) continue
      const hasWord = words !== undefined && isAfter(words, before)
      const hasForm = forms?.includes(writtenAs(written)) ?? false
      if (hasWord || hasForm || (isStrong && (isUniform(written) || rule === 'be-national-number')))
        return { rule, score: hasWord ? 0.99 : 0.95 }
    }
    return undefined
  },
}
