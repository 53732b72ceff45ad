import { codeAt, isAlphanumeric, isDigit, isWord, oneOf, runEnd } from '../scan/characters.ts'
import { CONTEXT, type Detector, OPEN, type Outcome } from '../types.ts'

const MOST_DIGITS = 15
/** Digits, separators and parentheses, and two characters after them. */
const LONGEST = 28
const PLUS = 43
const OPENING = 40

const isSeparator = oneOf(/[ ./()-]/)
/** `+49 (0) 30 / 12 34 56 78` has ten. */
const MOST_SEPARATORS = 10

const WORDS =
  /(?:\b(?:tel|telephone|phone|mobile|cell|call|fax|whatsapp|sms|hotline|telefon|handy|rufnummer|téléphone|portable|móvil|teléfono|llame|telefono|cellulare|telefone|celular|telefoon|puhelin|тел|телефон)\b|電話|电话|手机|전화|هاتف)[^\d\n]{0,16}$/iu

/** Area code and exchange begin with 2 to 9 (North American Numbering Plan). */
const NORTH_AMERICAN = /^(?:\+?1[-. ]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}$/
const INTERNATIONAL = /^\+[1-9]/

/** What every number has: digits with no more than two separators between them. */
const SEVEN_DIGITS = /\d(?:[ ./()-]{0,2}\d){6}/

/** Whether a word for a telephone stands before, with no digit or line end in between. */
const isAfterWord = (before: string): boolean => {
  const last = codeAt(before, before.length - 1)
  const isAfterDigit = isDigit(last) || isDigit(codeAt(before, before.length - 2))
  return last !== 10 && !isAfterDigit && WORDS.test(before)
}

interface Run {
  readonly end: number
  readonly digits: number
  readonly separators: number
  readonly isOpen: boolean
}

/** Digits with at most two separators between them, ending with a digit. */
const runAt = (text: string, start: number): Run => {
  let position = start + (codeAt(text, start) === PLUS ? 1 : 0)
  let end = position
  let digits = 0
  let separators = 0
  let hasOpened = false
  for (; position - start < LONGEST - 2 && position - end < 3; position += 1) {
    if (position >= text.length) return { end, digits, separators, isOpen: true }
    const code = codeAt(text, position)
    if (isDigit(code)) {
      digits += 1
      end = position + 1
    } else if (isSeparator(code) && !(code === OPENING && hasOpened && position > start)) {
      hasOpened ||= code === OPENING
      separators += 1
      if (separators > MOST_SEPARATORS) break
    } else break
  }
  return { end, digits, separators, isOpen: position + 1 >= text.length }
}

const AREA_CODE = 3

const isAfterNumber = (text: string, start: number): boolean =>
  isDigit(codeAt(text, start - 1)) || isDigit(codeAt(text, start - 2))

/** Numbers that begin with a digit are most often none: only so many digits, or a word before, make one a candidate. */
const isCandidate = (text: string, start: number, { digits, separators }: Run): boolean => {
  if (digits < 7 || digits > MOST_DIGITS || separators > MOST_SEPARATORS) return false
  const isNorthAmericanLong = digits === 10 || digits === 11
  return !isDigit(codeAt(text, start)) || isNorthAmericanLong || !isAfterNumber(text, start)
}

/** A number after another one, whose first group is no area code: columns of numbers are none of telephones. */
const isNextColumn = (text: string, start: number): boolean => {
  if (!isDigit(codeAt(text, start)) || !isAfterNumber(text, start)) return false
  const end = runEnd(text, start, AREA_CODE + 1, isDigit)
  return end < text.length && end - start !== AREA_CODE && end - start !== 1
}

const ruleOf = (number: string, digits: number, before: string): string | undefined => {
  if (digits < 12 && NORTH_AMERICAN.test(number)) return 'phone-north-american'
  if (INTERNATIONAL.test(number) && (digits > 9 || / /.test(number) || isAfterWord(before)))
    return 'phone-international'
  return isAfterWord(before) ? 'phone-national' : undefined
}

const at = (text: string, start: number, isLast: boolean): Outcome => {
  const previous = codeAt(text, start - 1)
  if (isWord(previous) || previous === PLUS) return undefined
  if ((previous === 45 || previous === 46 || previous === 47) && isAlphanumeric(codeAt(text, start - 2)))
    return undefined
  if (isNextColumn(text, start)) return undefined
  const run = runAt(text, start)
  if (run.isOpen && !isLast) return OPEN
  const next = codeAt(text, run.end)
  if (isWord(next) || ((next === 45 || next === 46) && isAlphanumeric(codeAt(text, run.end + 1))))
    return undefined
  if (!isCandidate(text, start, run)) return undefined
  const rule = ruleOf(text.slice(start, run.end), run.digits, text.slice(Math.max(0, start - CONTEXT), start))
  return rule === undefined
    ? undefined
    : { end: run.end, kind: 'phone', rule, score: rule === 'phone-national' ? 0.7 : 0.85 }
}

/**
 * Telephone numbers: international ones (E.164), North American ones as they are usually written, and others only after
 * a word for a telephone. A number without any of these looks like any other.
 */
export const phone: Detector = {
  name: 'phone',
  longest: LONGEST,
  starts: code => isDigit(code) || code === PLUS || code === OPENING,
  atWordStart: false,
  signs: [SEVEN_DIGITS],
  at,
}
