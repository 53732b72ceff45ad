import { ciphersOf, decipher } from '../text/ciphers.ts'
import { mappedTokens, withoutEscapes } from '../text/escapes.ts'
import { leetTokens } from '../text/leetspeak.ts'
import { squashedTokens, wordTree } from '../text/squashed.ts'
import { type Token, tokensOf } from '../text/tokens.ts'
import { CIPHERED, KNOWN_WORDS } from './compile.ts'
import { prospectsOf } from './prospects.ts'

/** A way to read a text, as a row of words with their places in it. */
export interface View {
  /** `plain`, or the disguise that it sees through. */
  readonly name: string
  readonly tokens: readonly Token[]
}

const WORD_TREE = wordTree(KNOWN_WORDS)
/** Ciphers that are tried on one passage. */
const MOST_CIPHERS = 4

const cipherViews = (tokens: readonly Token[]): View[] =>
  ciphersOf(tokens, CIPHERED)
    .slice(0, MOST_CIPHERS)
    .map(cipher => ({ name: cipher.name, tokens: decipher(tokens, cipher) }))

const squashedViews = (tokens: readonly Token[]): View[] =>
  squashedTokens(tokens, WORD_TREE).map(words => ({ name: 'spaced', tokens: words }))

const isDisguised = (tokens: readonly Token[]): boolean => tokens.some(({ latin }) => latin !== undefined)

function* wordViews(text: string): Generator<View> {
  const tokens = tokensOf(text)
  yield { name: isDisguised(tokens) ? 'look-alikes' : 'plain', tokens }
  yield* squashedViews(tokens)
  yield* cipherViews(tokens)
}

function* changedViews(text: string): Generator<View> {
  const leet = leetTokens(text, KNOWN_WORDS)
  if (leet) {
    yield { name: 'leetspeak', tokens: leet }
    yield* squashedViews(leet)
  }
  const once = withoutEscapes(text)
  if (!once) return
  yield { name: 'escapes', tokens: mappedTokens(once) }
  const twice = withoutEscapes(once.text, once.origins)
  if (twice) yield { name: 'escapes', tokens: mappedTokens(twice) }
}

/** All readings of a passage in which its words may stand. */
export function* allViewsOf(text: string): Generator<View> {
  yield* wordViews(text)
  yield* changedViews(text)
}

/** The readings of a passage in which a rule may match: of prose there is none. */
export function* viewsOf(text: string): Generator<View> {
  const { hasPhrases, longWords } = prospectsOf(text) ?? { hasPhrases: true, longWords: [] }
  if (hasPhrases) yield* wordViews(text)
  else if (longWords.length > 0) yield* squashedViews(longWords)
  yield* changedViews(text)
}
