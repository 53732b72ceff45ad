import { PLACES, type Place, type SpanRail } from '../types.ts'
import { faultOfPhrase, LONGEST_PHRASE, phraseDetector } from './phrase-detector.ts'

/** A list of words and phrases, as it is configured. A topic is a list with the words that speak of it. */
export interface WordList {
  /** In reports, in place of the words: `competitors`. */
  readonly name: string
  readonly kind: 'word' | 'topic'
  readonly words: readonly string[]
  /** All when absent. */
  readonly places?: readonly Place[]
}

/** Finds the words of lists, whole, in any case and with any diacritics. Throws at a word that is empty or too long. */
export const wordLists = (lists: readonly WordList[]): readonly SpanRail[] =>
  lists.map(({ name, kind, words, places = PLACES }) => {
    if (words.some(word => faultOfPhrase(word) !== undefined))
      throw new Error(`A word of the list ${name} is empty or longer than ${LONGEST_PHRASE} characters.`)
    const phrases = words.map(text => ({ text, kind, rule: name, score: 1 }))
    return {
      type: 'span',
      name: `${kind}-list`,
      places,
      detectors: [phraseDetector(`${kind}-list:${name}`, phrases)],
    }
  })
