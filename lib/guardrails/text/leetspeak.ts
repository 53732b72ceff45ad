import type { Token } from './tokens.ts'

const LEET: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '2': 'z',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '6': 'g',
  '7': 't',
  '8': 'b',
  '9': 'g',
  '@': 'a',
  $: 's',
  '!': 'i',
  '|': 'i',
  '+': 't',
  '(': 'c',
  '<': 'c',
  '{': 'c',
  '€': 'e',
  '£': 'l',
  '¥': 'y',
  '#': 'h',
  '^': 'a',
  '%': 'x',
  '§': 's',
}

const WRITTEN = /[A-Za-z0-9@$!|+(<{€£¥#^%§]+/g
/** What is longer means no word. */
const LONGEST_WORD = 24
/** Letters and signs mixed: `1gn0r3`, `$y$tem`. */
const MIXED = /[0-9@$!|+(<{€£¥#^%§]/

/** `1`, `|` and `!` are an i or an l. */
const read = (word: string, one: string): string => {
  const lower = word.toLowerCase()
  let meaning = ''
  for (let at = 0; at < lower.length; at += 1) {
    const character = lower.charAt(at)
    const letter = LEET[character] ?? character
    meaning += letter === 'i' && character !== 'i' ? one : letter
  }
  return meaning
}

/** Without a letter beside a digit or sign there is no leetspeak. */
const MIXES = /[A-Za-z][0-9@$!|+(<{€£¥#^%§]|[0-9@$!|+(<{€£¥#^%§][A-Za-z]/

const TRAILING_SIGNS = /[!|+(<{#^%]+$/

/** A word as it may be meant, whichever reading makes a known word. Signs at its end may stand after it. */
const meant = (word: string, known: ReadonlySet<string>): string => {
  const bare = word.replace(TRAILING_SIGNS, '')
  const candidates = [read(bare, 'i'), read(bare, 'l')]
  return candidates.find(candidate => known.has(candidate)) ?? read(word, 'i')
}

/** Whether a word with letters becomes a known one by its digits or signs: `system(` is that word as it is. */
const isChanged = (word: string, known: ReadonlySet<string>): boolean => {
  if (word.length > LONGEST_WORD || !MIXED.test(word) || !/[a-z]/i.test(word.slice(0, -1))) return false
  const bare = word.replace(TRAILING_SIGNS, '')
  return known.has(MIXED.test(bare) ? meant(word, known) : read(word, 'i'))
}

/** The words of a text read as leetspeak; undefined where no word of it becomes a known one by that. */
export const leetTokens = (text: string, known: ReadonlySet<string>): Token[] | undefined => {
  if (!MIXED.test(text) || !MIXES.test(text)) return undefined
  if (!text.match(WRITTEN)?.some(word => isChanged(word, known))) return undefined
  return Array.from(text.matchAll(WRITTEN), ({ 0: word, index }) => ({
    text: MIXED.test(word) ? meant(word, known) : word.toLowerCase(),
    start: index,
    end: index + word.length,
  }))
}
