import { isAlphanumeric } from '../scan/characters.ts'
import { foldCharacter } from '../text/fold-character.ts'
import { type Detector, OPEN, type Outcome } from '../types.ts'

/** A phrase to find, with the rule it belongs to. */
export interface Phrase {
  readonly text: string
  readonly kind: string
  readonly rule: string
  readonly score: number
}

/** Longer phrases are refused by the configuration. */
export const LONGEST_PHRASE = 200
/** More white space in a row than this ends a phrase. */
const MOST_SPACES = 4

interface Node {
  readonly next: Map<string, Node>
  phrase?: Phrase
}

const isSpaceCharacter = (character: string): boolean => /^\s$/.test(character)
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

const isJoined = (left: string, right: string): boolean =>
  left !== '' &&
  right !== '' &&
  isWordCharacter(left) &&
  isWordCharacter(right) &&
  !isUnspaced(left) &&
  !isUnspaced(right)

/** The phrase as it is compared: folded, with single spaces. */
const normal = (text: string): string => Array.from(text.trim(), foldCharacter).join('').replace(/\s+/g, ' ')

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

/** A step through the tree by one character of the text, which may fold to several. */
const follow = (node: Node, character: string): Node | undefined => {
  let at: Node | undefined = node
  for (const part of isSpaceCharacter(character) ? ' ' : foldCharacter(character)) at = at?.next.get(part)
  return at
}

/**
 * Finds whole words and phrases in any case, with any diacritics and white space. The time depends on the text and the
 * longest phrase, not on how many phrases there are.
 * @param isPartial true: also within words, for canaries
 */
export const phraseDetector = (name: string, phrases: readonly Phrase[], isPartial = false): Detector => {
  const root = treeOf(phrases)
  const firsts = new Set(root.next.keys())
  const longest = Math.max(0, ...phrases.map(({ text }) => normal(text).length)) * (MOST_SPACES + 1) + 2

  const at = (text: string, start: number, isLast: boolean): Outcome => {
    const first = characterAt(text, start)
    if (!isPartial && start > 0 && isJoined(text.charAt(start - 1), first)) return undefined
    let node: Node | undefined = root
    let found: Outcome
    let spaces = 0
    let position = start
    while (node && position < text.length) {
      const character = characterAt(text, position)
      spaces = isSpaceCharacter(character) ? spaces + 1 : 0
      if (spaces > MOST_SPACES) return found
      if (spaces < 2) node = follow(node, character)
      position += character.length
      if (!node?.phrase) continue
      if (position >= text.length && !isLast) return OPEN
      if (isPartial || !isJoined(character, characterAt(text, position))) {
        const { kind, rule, score } = node.phrase
        found = { end: position, kind, rule, score }
      }
    }
    return node && node.next.size > 0 && !isLast ? OPEN : found
  }
  const starts = (code: number): boolean =>
    code < 128 ? firsts.has(foldCharacter(String.fromCharCode(code))) : phrases.length > 0
  return { name, longest, starts, atWordStart: false, at }
}
