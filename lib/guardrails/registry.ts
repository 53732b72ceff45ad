import { createHash } from 'node:crypto'
import { PHRASE_RULES, TOKEN_RULES } from './injection/phrases.ts'
import { INJECTION_PRESETS, injection } from './injection/rail.ts'
import { IGNORE_PREVIOUS, WORDS } from './injection/words.ts'
import { type WordList, wordLists } from './lists/word-list.ts'
import { longestInput } from './longest-input.ts'
import { canaries, sensitiveData } from './sensitive/rail.ts'
import { SECRET_FORMATS } from './sensitive/secret-formats.ts'
import { CIPHERS } from './text/ciphers.ts'
import type { Rail } from './types.ts'

/** What an operator configures of the rails; what is absent is off. */
export interface RailSettings {
  readonly injection?: boolean
  readonly sensitiveData?: boolean
  readonly canaries?: readonly string[]
  readonly lists?: readonly WordList[]
  readonly mostInputCharacters?: number
}

/** Counted up when code changes what is found, since a hash of data cannot see that. */
const CODE_VERSION = 3

/** One line for each rail. */
const RAILS: readonly ((settings: RailSettings) => readonly Rail[])[] = [
  settings => (settings.injection ? [injection] : []),
  settings => (settings.sensitiveData ? [sensitiveData] : []),
  settings => (settings.canaries?.length ? [canaries(settings.canaries)] : []),
  settings => wordLists(settings.lists ?? []),
  settings =>
    settings.mostInputCharacters === undefined ? [] : [longestInput(settings.mostInputCharacters)],
]

export interface RuleSet {
  readonly rails: readonly Rail[]
  /** Changes whenever rules, data or settings do: part of the cache key. Says nothing of the canaries themselves. */
  readonly version: string
}

const DATA = [
  CODE_VERSION,
  PHRASE_RULES,
  TOKEN_RULES,
  IGNORE_PREVIOUS,
  WORDS,
  INJECTION_PRESETS,
  SECRET_FORMATS,
  CIPHERS.length,
]

/** Patterns are written out: JSON has no form for them. */
const patternAsText = (_: string, value: unknown): unknown =>
  value instanceof RegExp ? String(value) : value

/** The rails of a configuration. Throws where a list is wrong. */
export const ruleSet = (settings: RailSettings): RuleSet => ({
  rails: RAILS.flatMap(rail => rail(settings)),
  version: createHash('sha256')
    .update(JSON.stringify([DATA, settings], patternAsText))
    .digest('base64url')
    .slice(0, 22),
})
