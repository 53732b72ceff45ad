import { codeAt, isAlphanumeric, isDigit, isUpper, runEnd } from '../scan/characters.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'
import { isMonthAndDay } from './checksums.ts'

/** A national number with letters, its spaces and hyphens taken out. */
interface LetteredNumber {
  readonly rule: string
  readonly length: number
  readonly shape: RegExp
  readonly isValid: (id: string) => boolean
}

const SPANISH = 'TRWAGMYFPDXBNJZSQVHLCKE'
const spanishLetter = (digits: string): string => SPANISH.charAt(Number(digits) % 23)

const ITALIAN_ODD = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]
const ordinal = (character: string): number =>
  character <= '9' ? character.charCodeAt(0) - 48 : character.charCodeAt(0) - 65

const isItalian = (id: string): boolean => {
  let sum = 0
  for (let index = 0; index < 15; index += 1) {
    const value = ordinal(id.charAt(index))
    sum += index % 2 === 0 ? (ITALIAN_ODD[value] ?? 0) : value
  }
  return String.fromCharCode(65 + (sum % 26)) === id.charAt(15)
}

const CHINESE_WEIGHTS = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
const isChinese = (id: string): boolean => {
  const sum = CHINESE_WEIGHTS.reduce((total, weight, index) => total + weight * ordinal(id.charAt(index)), 0)
  const isDate = isMonthAndDay(Number(id.slice(10, 12)), Number(id.slice(12, 14)))
  return isDate && '10X98765432'.charAt(sum % 11) === id.charAt(17)
}

const FINNISH_RULE = 'fi-personal-identity-code'
const FINNISH = '0123456789ABCDEFHJKLMNPRSTUVWXY'
const isFinnish = (id: string): boolean =>
  isMonthAndDay(Number(id.slice(2, 4)), Number(id.slice(0, 2))) &&
  FINNISH.charAt(Number(id.slice(0, 9)) % 31) === id.charAt(9)

const isSingaporean = (id: string): boolean => {
  const first = id.charAt(0)
  const sum = [2, 7, 6, 5, 4, 3, 2].reduce(
    (total, weight, index) => total + weight * ordinal(id.charAt(index + 1)),
    0,
  )
  const letters = first === 'S' || first === 'T' ? 'JZIHGFEDCBA' : 'XWUTRQPNMLK'
  return letters.charAt((sum + (first === 'T' || first === 'G' ? 4 : 0)) % 11) === id.charAt(8)
}

const NUMBERS: readonly LetteredNumber[] = [
  {
    rule: 'uk-nino',
    length: 9,
    shape: /^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$/,
    isValid: () => true,
  },
  {
    rule: 'es-dni',
    length: 9,
    shape: /^\d{8}[A-HJ-NP-TV-Z]$/,
    isValid: id => spanishLetter(id.slice(0, 8)) === id.charAt(8),
  },
  {
    rule: 'es-nie',
    length: 9,
    shape: /^[XYZ]\d{7}[A-HJ-NP-TV-Z]$/,
    isValid: id => spanishLetter('XYZ'.indexOf(id.charAt(0)) + id.slice(1, 8)) === id.charAt(8),
  },
  { rule: 'sg-nric', length: 9, shape: /^[STFG]\d{7}[A-Z]$/, isValid: isSingaporean },
  { rule: FINNISH_RULE, length: 10, shape: /^\d{9}[0-9A-FHJ-NPR-Y]$/, isValid: isFinnish },
  {
    rule: 'it-codice-fiscale',
    length: 16,
    shape: /^[A-Z]{6}[0-9L-NP-V]{2}[A-EHLMPRST][0-9L-NP-V]{2}[A-Z][0-9L-NP-V]{3}[A-Z]$/,
    isValid: isItalian,
  },
  { rule: 'cn-resident-id', length: 18, shape: /^[1-9]\d{5}(?:18|19|20)\d{9}[\dX]$/, isValid: isChinese },
]

/** What the shortest of them has, and so each of them. */
const NINE_CHARACTERS = /[A-Z\d](?:[ -]?[A-Z\d]){8}/

/** The longest of them, a space or hyphen after each second character, and one character after it. */
const MOST_CHARACTERS = 18
const LONGEST = MOST_CHARACTERS + 8 + 2

const startsNumber = (code: number): boolean => isUpper(code) || isDigit(code)
/** Where the text of the first n characters ends, for each n; one list for all, since most are no number. */
const ends = new Int32Array(MOST_CHARACTERS + 1)

interface Read {
  readonly count: number
  /** Which of the characters is the first letter. */
  readonly firstLetter: number
  readonly isOpen: boolean
}

/** Reads capitals and digits, single spaces and hyphens between them. */
const readId = (text: string, start: number): Read => {
  let count = 0
  let firstLetter = MOST_CHARACTERS + 1
  let end = start
  for (let position = start; count < MOST_CHARACTERS; position += 1) {
    if (position >= text.length) return { count, firstLetter, isOpen: true }
    const code = codeAt(text, position)
    if (startsNumber(code)) {
      count += 1
      end = position + 1
      ends[count] = end
      if (isUpper(code)) firstLetter = Math.min(firstLetter, count)
    } else if ((code !== 32 && code !== 45) || count < 2 || end !== position) break
  }
  return { count, firstLetter, isOpen: end >= text.length }
}

/** Each of them has a digit among its first nine characters: words of capitals have none. */
const HEAD = 9
/** One that begins with digits begins with six of them or more. */
const DIGITS_AT_START = 6

const isViable = (text: string, start: number): boolean => {
  if (isDigit(codeAt(text, start))) {
    const end = runEnd(text, start, DIGITS_AT_START, isDigit)
    return end - start === DIGITS_AT_START || end >= text.length
  }
  for (let position = start; position < start + HEAD; position += 1)
    if (position >= text.length || isDigit(codeAt(text, position))) return true
  return false
}

const at = (text: string, start: number, isLast: boolean): Outcome => {
  if (!isViable(text, start)) return undefined
  const { count, firstLetter, isOpen } = readId(text, start)
  if (isOpen && !isLast) return OPEN
  for (const { rule, length, shape, isValid } of NUMBERS) {
    const end = ends[length] ?? start
    if (length > count || isAlphanumeric(codeAt(text, end))) continue
    // Digits alone are a number of China, which is written without spaces.
    if (firstLetter > length && end - start !== length) continue
    const id = text.slice(start, end).replace(/[ -]/g, '')
    if (!shape.test(id) || !isValid(id)) continue
    if (rule === FINNISH_RULE && text.charAt(start + 6) !== '-') continue
    return { end, kind: 'national-number', rule, score: 0.95 }
  }
  return undefined
}

/** National numbers with letters: Britain, Spain, Singapore, Finland, Italy, China. */
export const letteredNumber: Detector = {
  name: 'lettered-number',
  longest: LONGEST,
  starts: startsNumber,
  atWordStart: true,
  signs: [NINE_CHARACTERS, /\d/],
  at,
}
