import { codeAt, isAlphanumeric, isDigit } from '../scan/characters.ts'
import { CONTEXT, type Detector, type Match, OPEN, type Outcome } from '../types.ts'

/** A number as it stands in a text: digits, perhaps in groups with one separator each. */
export interface WrittenNumber {
  readonly digits: string
  /** How many digits each group has. */
  readonly grouping: readonly number[]
  /** The separators between the groups, joined: `--`, or the empty string. */
  readonly separators: string
  /** The text before it, as far as a detector may look. */
  readonly before: string
}

/** What a kind of number says of one that fits; absent where it is another number. */
export interface NumberVerdict {
  readonly rule: string
  readonly score: number
}

export interface NumberKind {
  readonly kind: string
  readonly lengths: readonly number[]
  /** What can be said of the digits alone: asked first, since most numbers fail it. */
  readonly isPossible: (digits: string) => boolean
  readonly check: (number: WrittenNumber) => NumberVerdict | undefined
}

const MOST_GROUPS = 8
const MOST_DIGITS = 19
/** Digits, separators, and two characters after them. */
export const LONGEST_NUMBER = MOST_DIGITS + MOST_GROUPS + 2

/** Space, hyphen, full stop, slash. */
const isSeparator = (code: number): boolean => code === 32 || code === 45 || code === 46 || code === 47

interface Run {
  readonly groups: number
  readonly isOpen: boolean
}

/** Where each group of the run that is being read ends: one list for all, since most runs are no number of interest. */
const ends = new Int32Array(MOST_GROUPS)

/** Reads groups of digits with single separators between them. */
const runAt = (text: string, start: number): Run => {
  let groups = 0
  let position = start
  let digits = 0
  // No number that is looked for has two groups of one digit after each other: `1 2 3` is a list.
  let wasSingle = false
  while (groups < MOST_GROUPS) {
    const from = position
    while (isDigit(codeAt(text, position)) && digits <= MOST_DIGITS) {
      position += 1
      digits += 1
    }
    const isSingle = position - from === 1
    if (digits > MOST_DIGITS) break
    if (isSingle && wasSingle) return { groups, isOpen: position >= text.length }
    wasSingle = isSingle
    ends[groups] = position
    groups += 1
    // The two characters after it decide whether the number ends here.
    if (position + 1 >= text.length) return { groups, isOpen: true }
    if (!isSeparator(codeAt(text, position)) || !isDigit(codeAt(text, position + 1))) break
    position += 1
  }
  return { groups, isOpen: false }
}

/** No longer identifier goes on here: `12-AB`, `12_3`, `12.5a`. */
const endsAt = (text: string, end: number): boolean => {
  const next = codeAt(text, end)
  if (isAlphanumeric(next) || next === 95) return false
  const isJoined = next === 45 || next === 46 || next === 47
  return !(isJoined && isAlphanumeric(codeAt(text, end + 1)))
}

/** The number is no part of a longer one or of an identifier: `A-12`, `1.12`, `/12`. */
const beginsAt = (text: string, start: number): boolean => {
  const previous = codeAt(text, start - 1)
  if (isAlphanumeric(previous)) return false
  const isJoined = previous === 45 || previous === 46 || previous === 47
  return !(isJoined && isAlphanumeric(codeAt(text, start - 2)))
}

/** A number may stop where a space or slash separates it from a further one. */
const isEnd = (text: string, end: number, goesOn: boolean): boolean =>
  goesOn ? text.charAt(end) === ' ' || text.charAt(end) === '/' : endsAt(text, end)

const digitsOf = (text: string, start: number, groups: number): string => {
  let digits = ''
  let from = start
  for (let index = 0; index < groups; index += 1) {
    const end = ends[index] ?? from
    digits += text.slice(from, end)
    from = end + 1
  }
  return digits
}

const writtenNumber = (text: string, digits: string, start: number, groups: number): WrittenNumber => {
  const grouping: number[] = []
  let separators = ''
  let from = start
  for (const end of ends.subarray(0, groups)) {
    grouping.push(end - from)
    if (grouping.length < groups) separators += text.charAt(end)
    from = end + 1
  }
  return { digits, grouping, separators, before: text.slice(Math.max(0, start - CONTEXT), start) }
}

const matchOf = (number: WrittenNumber, end: number, kinds: readonly NumberKind[]): Match | undefined => {
  for (const { kind, check } of kinds) {
    const verdict = check(number)
    if (verdict) return { end, kind, ...verdict }
  }
  return undefined
}

/** A number in groups has one of three digits or more: columns of small numbers are none. */
const SHORTEST_LONG_GROUP = 3

const longestGroup = (start: number, groups: number): number => {
  let longest = 0
  let from = start
  for (let index = 0; index < groups; index += 1) {
    const end = ends[index] ?? from
    longest = Math.max(longest, end - from)
    from = end + 1
  }
  return longest
}

/** Finds numbers of the given kinds, the first that fits first: each text is read once for all of them. */
export const numberDetector = (kinds: readonly NumberKind[]): Detector => {
  const byLength = Array.from({ length: MOST_DIGITS + 1 }, (_, length) =>
    kinds.filter(kind => kind.lengths.includes(length)),
  )
  const shortest = Math.min(...kinds.flatMap(({ lengths }) => lengths))
  const digits = new RegExp(`\\d(?:[ ./-]?\\d){${shortest - 1}}`)
  const at = (text: string, start: number, isLast: boolean): Outcome => {
    if (!beginsAt(text, start)) return undefined
    const { groups, isOpen } = runAt(text, start)
    if (isOpen && !isLast) return OPEN
    if (groups > 1 && longestGroup(start, groups) < SHORTEST_LONG_GROUP) return undefined
    for (let count = groups; count > 0; count -= 1) {
      const end = ends[count - 1] ?? start
      const fitting = byLength[end - start - count + 1] ?? []
      if (fitting.length === 0 || !isEnd(text, end, count < groups)) continue
      const digits = digitsOf(text, start, count)
      const possible = fitting.filter(({ isPossible }) => isPossible(digits))
      if (possible.length === 0) continue
      const match = matchOf(writtenNumber(text, digits, start, count), end, possible)
      if (match) return match
    }
    return undefined
  }
  return {
    name: 'number',
    longest: LONGEST_NUMBER,
    starts: isDigit,
    atWordStart: false,
    signs: [digits],
    at,
  }
}

/** Whether all separators are the same, or there is none. */
export const isUniform = ({ separators }: WrittenNumber): boolean =>
  separators === '' || separators === separators.charAt(0).repeat(separators.length)

/** Whether one of the words stands shortly before a number. */
export const isAfter = (words: RegExp, before: string): boolean => words.test(before.slice(-40))
