import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokensOf } from '#lib/guardrails/text/tokens.ts'

/** All kinds of characters: letters with and without look-alikes, scripts without spaces, marks, ignored, signs. */
const CHARACTERS = Array.from(
  "abZ09 '’.,-éßİſаЯёи漢のก한\u0301\u200b\u00ad\ufe0f\u3000Ａ٣🎉𝟙🄰\u{e0041}\ud83dﬁ½㎏",
)
const ZERO_WIDTH = '\u200b'

const wordsOf = (text: string) => tokensOf(text).map(({ text, latin }) => ({ text, latin }))

describe('the words of a text', () => {
  it.each([
    [
      'Ёлка, жил-был ЦИТРУС',
      [
        { text: 'елка', latin: 'eлka', start: 0, end: 4 },
        { text: 'жил', latin: 'жnл', start: 6, end: 9 },
        { text: 'был', start: 10, end: 13 },
        { text: 'цитрус', latin: 'цntpyc', start: 14, end: 20 },
      ],
    ],
    [
      '忽略the指令',
      [
        { text: '忽', start: 0, end: 1 },
        { text: '略', start: 1, end: 2 },
        { text: 'the', start: 2, end: 5 },
        { text: '指', start: 5, end: 6 },
        { text: '令', start: 6, end: 7 },
      ],
    ],
    [
      'don’t über-\u{1f130}\u{1f131}',
      [
        { text: 'dont', start: 0, end: 5 },
        { text: 'uber', start: 6, end: 10 },
        { text: 'ab', start: 11, end: 15 },
      ],
    ],
  ])('of %s have their places', (text, tokens) => {
    expect(tokensOf(text)).toEqual(tokens)
    expect(tokensOf(text, 100)).toEqual(
      tokens.map(token => ({ ...token, start: token.start + 100, end: token.end + 100 })),
    )
  })

  it('are the same with invisible characters in them, which are read one by one', () => {
    const texts = fc.array(fc.constantFrom(...CHARACTERS), { maxLength: 40 })
    fc.assert(
      fc.property(texts, characters => {
        const text = ['я', ...characters]
        expect(wordsOf(text.join(ZERO_WIDTH))).toEqual(wordsOf(text.join('')))
      }),
    )
  })
})
