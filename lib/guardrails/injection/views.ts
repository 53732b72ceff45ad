import { cipherSigns, ciphersOf, decipher } from '../text/ciphers.ts'
import { mappedTokens, withoutEscapes } from '../text/escapes.ts'
import { leetTokens } from '../text/leetspeak.ts'
import { squashedTokens, wordTree } from '../text/squashed.ts'
import { type Token, tokensOf } from '../text/tokens.ts'
import { KNOWN_WORDS } from './compile.ts'

/** A way to read a text, as a row of words with their places in it. */
export interface View {
  /** `plain`, or the disguise that it sees through. */
  readonly name: string
  readonly tokens: readonly Token[]
}

const CIPHERED = cipherSigns(KNOWN_WORDS)
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

/** All readings of a passage in which its words may stand. */
export function* viewsOf(text: string): Generator<View> {
  const tokens = tokensOf(text)
  yield { name: isDisguised(tokens) ? 'look-alikes' : 'plain', tokens }
  yield* squashedViews(tokens)
  yield* cipherViews(tokens)
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
