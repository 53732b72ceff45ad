import { codeAt, isAlphanumeric, isDigit, isSpace } from '../scan/characters.ts'
import { CONTEXT, type Detector, type Match, OPEN, type Outcome } from '../types.ts'

/** A number as it stands in a text: digits, perhaps in groups with one separator each. */
export interface WrittenNumber {
  readonly digits: string
  /** How many digits each group has. */
  readonly grouping: readonly number[]
  /** The separators between the groups, joined: `--`, or the empty string. White space of any kind is a space. */
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
  /**
   * Its checks are so sure that it may stand before a short number or a sentence, `-123` or `.Thanks`, and have tabs,
   * line ends and two spaces between its groups.
   */
  readonly isSure?: true
}

const MOST_GROUPS = 8
const MOST_DIGITS = 19
/** What may stand after a sure number, with what must not follow it. */
const TAIL = /-\d{1,4}(?![\dA-Za-z_]|[-.][\dA-Za-z])|\.[A-Za-z]/y
const LONGEST_TAIL = 7
const LONGEST_GAP = 2
/** Digits, what stands between them, and what is looked at after them. */
const LONGEST_NUMBER = MOST_DIGITS + MOST_GROUPS * LONGEST_GAP + LONGEST_TAIL

const isLineOrTab = (code: number): boolean => code < 32
/** Hyphen, full stop, slash. */
const isMark = (code: number): boolean => code >= 45 && code <= 47

interface Run {
  readonly groups: number
  /** Groups before the first line break, tab or double space between two; `MOST_GROUPS` where there is none. */
  readonly plainGroups: number
  readonly isOpen: boolean
}

/**
 * The groups of the run that is being read: where each begins and ends, and how many digits there are up to its end.
 * One list for all runs, since most are no number of interest.
 */
const starts = new Int32Array(MOST_GROUPS)
const ends = new Int32Array(MOST_GROUPS)
const totals = new Int32Array(MOST_GROUPS)

/** The length of what separates two groups, a mark or white space; 0 where no group follows, -1 where that is open. */
const gapAt = (text: string, end: number): number => {
  const [first, second] = [codeAt(text, end), codeAt(text, end + 1)]
  if (!isMark(first) && !isSpace(first)) return 0
  if (isDigit(second)) return 1
  if (!isSpace(first) || !isSpace(second)) return 0
  if (end + LONGEST_GAP >= text.length) return -1
  return isDigit(codeAt(text, end + LONGEST_GAP)) ? LONGEST_GAP : 0
}

/** Reads groups of digits with one separator, or two characters of white space, between them. */
const runAt = (text: string, start: number): Run => {
  let groups = 0
  let plainGroups = MOST_GROUPS
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
    if (isSingle && wasSingle) return { groups, plainGroups, isOpen: position >= text.length }
    wasSingle = isSingle
    starts[groups] = from
    ends[groups] = position
    totals[groups] = digits
    groups += 1
    // The two characters after it decide whether the number ends here.
    if (position + 1 >= text.length) return { groups, plainGroups, isOpen: true }
    const gap = gapAt(text, position)
    if (gap <= 0) return { groups, plainGroups, isOpen: gap < 0 }
    if (gap > 1 || isLineOrTab(codeAt(text, position))) plainGroups = Math.min(plainGroups, groups)
    position += gap
  }
  return { groups, plainGroups, isOpen: false }
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

/** A number may stop where white space or a slash separates it from a further one. */
const isEnd = (text: string, end: number, goesOn: boolean): boolean =>
  goesOn ? isSpace(codeAt(text, end)) || text.charAt(end) === '/' : endsAt(text, end)

const hasTail = (text: string, end: number): boolean => {
  TAIL.lastIndex = end
  return TAIL.test(text)
}

const lengthOf = (group: number): number => (ends[group] ?? 0) - (starts[group] ?? 0)

const digitsOf = (text: string, groups: number): string => {
  let digits = ''
  for (let group = 0; group < groups; group += 1) digits += text.slice(starts[group], ends[group])
  return digits
}

/** What stands after a group, before the next one. */
const gapAfter = (text: string, group: number): string => text.slice(ends[group], starts[group + 1])

const writtenNumber = (text: string, digits: string, groups: number): WrittenNumber => {
  const grouping: number[] = []
  let separators = ''
  for (let group = 0; group < groups; group += 1) {
    grouping.push(lengthOf(group))
    if (group < groups - 1) separators += gapAfter(text, group).trim() || ' '
  }
  const start = starts[0] ?? 0
  return { digits, grouping, separators, before: text.slice(Math.max(0, start - CONTEXT), start) }
}

/** Whether numbers of four digits stand before or after: then all are cells of a table. */
const isInTable = (text: string, start: number, end: number): boolean =>
  /\d{4}\s{1,2}$/.test(text.slice(Math.max(0, start - 6), start)) ||
  /^\s{1,2}\d{4}/.test(text.slice(end, end + 6))

const matchOf = (number: WrittenNumber, end: number, kinds: readonly NumberKind[]): Match | undefined => {
  for (const { kind, check } of kinds) {
    const verdict = check(number)
    if (verdict) return { end, kind, ...verdict }
  }
  return undefined
}

/** A number in groups has one of three digits or more: columns of small numbers are none. */
const SHORTEST_LONG_GROUP = 3

const longestGroup = (groups: number): number => {
  let longest = 0
  for (let group = 0; group < groups; group += 1) longest = Math.max(longest, lengthOf(group))
  return longest
}

/** Finds numbers of the given kinds, the first that fits first: each text is read once for all of them. */
export const numberDetector = (kinds: readonly NumberKind[]): Detector => {
  const byLength = Array.from({ length: MOST_DIGITS + 1 }, (_, length) =>
    kinds.filter(kind => kind.lengths.includes(length)),
  )
  const shortest = Math.min(...kinds.flatMap(({ lengths }) => lengths))
  const digits = new RegExp(`\\d(?:(?:[./-]|[ \\t\\r\\n]{1,2})?\\d){${shortest - 1}}`)

  /** The number that the first groups of a run are. */
  const ofGroups = (text: string, count: number, run: Run, isLast: boolean): Outcome => {
    const fitting = byLength[totals[count - 1] ?? 0] ?? []
    if (fitting.length === 0) return undefined
    const [start = 0, end = 0] = [starts[0], ends[count - 1]]
    const isSpread = count > run.plainGroups
    const isEnded = isEnd(text, end, count < run.groups)
    const mustBeSure = isSpread || !isEnded
    const allowed = mustBeSure ? fitting.filter(({ isSure }) => isSure) : fitting
    if (allowed.length === 0) return undefined
    const written = digitsOf(text, count)
    const possible = allowed.filter(({ isPossible }) => isPossible(written))
    if (possible.length === 0) return undefined
    const match = matchOf(writtenNumber(text, written, count), end, possible)
    if (!match || !mustBeSure) return match
    if (end + LONGEST_TAIL > text.length && !isLast) return OPEN
    if (isSpread && isInTable(text, start, end)) return undefined
    return isEnded || hasTail(text, end) ? match : undefined
  }

  const at = (text: string, start: number, isLast: boolean): Outcome => {
    if (!beginsAt(text, start)) return undefined
    const run = runAt(text, start)
    const { groups, isOpen } = run
    if (isOpen && !isLast) return OPEN
    if (groups > 1 && longestGroup(groups) < SHORTEST_LONG_GROUP) return undefined
    for (let count = groups; count > 0; count -= 1) {
      const outcome = ofGroups(text, count, run, isLast)
      if (outcome) return outcome
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
