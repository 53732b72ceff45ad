import { isAlphanumeric } from '../scan/characters.ts'
import { visible } from '../scan/visible-text.ts'
import { foldCharacter } from '../text/fold-character.ts'
import { type Detector, type Match, OPEN, type Outcome } from '../types.ts'

/** A phrase to find, with the rule it belongs to. */
export interface Phrase {
  readonly text: string
  readonly kind: string
  readonly rule: string
  readonly score: number
}

/** Longer phrases are refused by the configuration. */
export const LONGEST_PHRASE = 200
/** More white space than this between two characters of a phrase ends it. */
const MOST_SPACES = 4
/** Likewise, code units of characters that fold to nothing, such as marks over letters. */
const MOST_MARKS = 16
/** Code units between two characters of a phrase, with those of the character itself. */
const LONGEST_STEP = 2 + MOST_SPACES + MOST_MARKS

interface Node {
  readonly next: Map<string, Node>
  phrase?: Phrase
}

/** Letters and digits of any script that writes spaces between words. */
const isWordCharacter = (character: string): boolean =>
  isAlphanumeric(character.charCodeAt(0)) || /^[\p{L}\p{N}_]$/u.test(character)
/** Scripts without spaces between words: any position begins one. */
const isUnspaced = (character: string): boolean =>
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Hangul}]$/u.test(character)

const characterAt = (text: string, index: number): string => {
  const point = text.codePointAt(index)
  return point === undefined ? '' : String.fromCodePoint(point)
}

const isSpace = (folded: string): boolean => folded !== '' && folded.trim() === ''
/** Belongs to the character before it, such as a diacritic. */
const isMark = (character: string): boolean => character !== '' && foldCharacter(character) === ''

/** The character before an index, without the marks on it. */
const characterBefore = (text: string, index: number): string => {
  for (let at = index; at > 0 && index - at <= MOST_MARKS; ) {
    at -= (text.codePointAt(at - 2) ?? 0) > 0xffff ? 2 : 1
    const character = characterAt(text, at)
    if (!isMark(character)) return character
  }
  return ''
}

const isJoined = (left: string, right: string): boolean =>
  left !== '' &&
  right !== '' &&
  isWordCharacter(left) &&
  isWordCharacter(right) &&
  !isUnspaced(left) &&
  !isUnspaced(right)

/** The phrase as it is compared: as detectors see it, folded, with single spaces. */
const normal = (text: string): string =>
  Array.from(visible(text).trim(), foldCharacter).join('').replace(/\s+/g, ' ').trim()

/** Why a phrase cannot be looked for: nothing of it is compared, or too much; undefined where it can. */
export const faultOfPhrase = (text: string): string | undefined => {
  const { length } = normal(text)
  if (length === 0) return 'empty'
  return text.length > LONGEST_PHRASE || length > LONGEST_PHRASE
    ? `longer than ${LONGEST_PHRASE} characters`
    : undefined
}

const treeOf = (phrases: readonly Phrase[]): Node => {
  const root: Node = { next: new Map() }
  for (const phrase of phrases) {
    let node = root
    for (const character of normal(phrase.text)) {
      const next = node.next.get(character) ?? { next: new Map() }
      node.next.set(character, next)
      node = next
    }
    node.phrase ??= phrase
  }
  return root
}

/** A step through the tree by what a character of the text folds to. */
const follow = (node: Node, folded: string): Node | undefined => {
  let at: Node | undefined = node
  for (const part of folded) at = at?.next.get(isSpace(part) ? ' ' : part)
  return at
}

/**
 * The longest phrase that begins at a position. Marks belong to the character before them.
 * @param isPartial whether it may end within a word
 */
const phraseAt = (root: Node, text: string, start: number, isLast: boolean, isPartial: boolean): Outcome => {
  let node = root
  let found: Match | undefined
  let last = ''
  let spaces = 0
  let marks = 0
  for (let position = start; ; ) {
    const character = characterAt(text, position)
    if (character === '' && !isLast) return OPEN
    const folded = foldCharacter(character)
    if (folded === '' && character !== '' && marks + character.length <= MOST_MARKS) {
      marks += character.length
      position += character.length
      continue
    }
    if (node.phrase && (isPartial || !isJoined(last, character))) found = matchOf(node.phrase, position)
    spaces = isSpace(folded) ? spaces + 1 : 0
    const next = spaces > 1 ? node : follow(node, folded)
    if (folded === '' || !next || spaces > MOST_SPACES) return found
    if (spaces < 2) marks = 0
    node = next
    last = character
    position += character.length
  }
}

const matchOf = ({ kind, rule, score }: Phrase, end: number): Match => ({ end, kind, rule, score })

/**
 * Finds whole words and phrases in any case, with any diacritics and white space. The time depends on the text and the
 * longest phrase, not on how many phrases there are. Throws at a phrase that cannot be looked for.
 * @param isPartial true: also within words, for canaries
 */
export const phraseDetector = (name: string, phrases: readonly Phrase[], isPartial = false): Detector => {
  for (const { text } of phrases) {
    const fault = faultOfPhrase(text)
    if (fault !== undefined) throw new Error(`A phrase of ${name} is ${fault}.`)
  }
  const root = treeOf(phrases)
  const firsts = new Set(root.next.keys())
  const longest = Math.max(0, ...phrases.map(({ text }) => normal(text).length)) * LONGEST_STEP + 2

  const at = (text: string, start: number, isLast: boolean): Outcome => {
    const first = characterAt(text, start)
    if (isMark(first) || !follow(root, foldCharacter(first))) return undefined
    if (!isPartial && isJoined(characterBefore(text, start), first)) return undefined
    return phraseAt(root, text, start, isLast, isPartial)
  }
  const starts = (code: number): boolean =>
    code < 128 ? firsts.has(foldCharacter(String.fromCharCode(code))) : phrases.length > 0
  return { name, longest, starts, atWordStart: false, at }
}
