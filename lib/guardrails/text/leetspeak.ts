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
/** Letters and signs mixed: `1gn0r3`, `$y$tem`. */
const MIXED = /[0-9@$!|+(<{€£¥#^%§]/

const read = (word: string, one: string): string =>
  Array.from(word.toLowerCase(), character =>
    character === '1' || character === '|' || character === '!' ? one : (LEET[character] ?? character),
  ).join('')

/** Without a letter beside a digit or sign there is no leetspeak. */
const MIXES = /[A-Za-z][0-9@$!|+(<{€£¥#^%§]|[0-9@$!|+(<{€£¥#^%§][A-Za-z]/

/** A word as it may be meant: `1` is an i or an l, whichever makes a known word. */
const meant = (word: string, known: ReadonlySet<string>): string => {
  const bare = word.replace(/[!|+(<{#^%]+$/, '')
  const candidates = [read(bare, 'i'), read(bare, 'l'), read(word, 'i')]
  return candidates.find(candidate => known.has(candidate)) ?? read(word, 'i')
}

/** Whether a word with letters becomes a known one by its digits or signs. */
const isChanged = (word: string, known: ReadonlySet<string>): boolean =>
  MIXED.test(word) && /[a-z]/i.test(word.slice(0, -1)) && known.has(meant(word, known))

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
