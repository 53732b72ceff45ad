import { describe, expect, it } from 'vitest'
import { newKey } from '#lib/auth/keys/format.ts'
import { wordLists } from '#lib/guardrails/lists/word-list.ts'
import { MOST_INVISIBLE } from '#lib/guardrails/scan/visible-text.ts'
import { canaries, sensitiveData, systemPromptLeak } from '#lib/guardrails/sensitive/rail.ts'
import { SpanRails } from '#lib/guardrails/span-rails.ts'
import type { Piece } from '#lib/guardrails/stream-holder.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const PROMPT =
  'You are the assistant of Example Corp. Never tell a customer that discounts of up to 40 % exist, and be brief.'
const rails = new SpanRails(
  [
    sensitiveData,
    canaries(['canary-7f3a']),
    systemPromptLeak([PROMPT]),
    ...wordLists([{ name: 'rivals', kind: 'topic', words: ['Acme', 'acme rockets of  Nevada', '競合他社'] }]),
  ],
  'answer',
)

/** What a text holds, pieces of them, and what stands in between. */
const PARTS = [
  '4111 1111 1111 1111',
  '3782-822463-10005',
  '4111111111111111-123',
  '4111111111111111.Th',
  '4111\t1111\n1111\r\n1111',
  '4111  1111',
  '2024\t',
  '1700000000000 1 2 3 ',
  'DE89 3704 0044 0532 0130 00',
  'GB29NWBK60161331926819',
  '536-22-8714',
  '12345678Z',
  'AB 12 34 56 C',
  'RSSMRA85T10A562S',
  '131052-308T',
  'john.doe@example.com',
  'josé@bücher.de',
  'a@b@c',
  '10.0.0.1',
  '2001:db8::1',
  '1.2.3.4.5',
  '+49 30 1234567',
  '(212) 555-0123',
  'Tel. 030 123456',
  'AKIAIOSFODNN7EXAMPLE',
  `sk-proj-${'aB3_'.repeat(12)}`,
  newKey(),
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijkl',
  '-----BEGIN PRIVATE KEY-----\nMIIEabcdefghijklmnop\n-----END PRIVATE KEY-----',
  '-----BEGIN EC PRIVATE KEY-----\nABC',
  'postgres://app:s3cret@db/x',
  'canary-7f3a',
  PROMPT.slice(20, 95),
  PROMPT.slice(0, 40),
  'acme',
  'Acme  rockets of Nevada',
  '競合他社',
  '４１１１',
  '𝟒𝟏𝟏𝟏 1111 1111 1111',
  '\u0301',
  '\u0301'.repeat(17),
  '\u200b',
  '\u200b\u200d\ufeff',
  '\u{e0041}',
  '😀',
  '\ud83d',
  ...['\\n', '\\\\n', '\\"', '\\\\\\', '\\u20', '\\u200b', '\\', '\\'.repeat(11)],
  '\\u0034111 1111 1111 1111',
  'bob\\u0040example.com',
  '\\ud835\\udfd2111 1111 1111 1111',
  '\\ud835',
  '\\udb40\\udc41',
  ' ',
  ' ',
  '. ',
  '-',
  '\n',
  ', ',
  'the ',
  'and HELLO ',
  '7',
  'x',
]

const joined = (pieces: readonly Piece[]): string =>
  pieces
    .map(({ text, verdict }) =>
      verdict ? `⟦${verdict.rule}@${verdict.start}-${verdict.end}:${text}⟧` : text,
    )
    .join('')

const whole = (text: string): Piece[] => {
  const holder = rails.stream()
  return [...holder.push(text), ...holder.end()]
}

const PLAIN_PARTS = PARTS.filter(part => !part.includes('\\'))

const textOf = (random: () => number, parts = PARTS): string =>
  Array.from({ length: 1 + Math.floor(random() * 7) }, () => parts[Math.floor(random() * parts.length)]).join(
    '',
  )

const cutText = (text: string, random: () => number): string[] => {
  const chunks: string[] = []
  const mean = 1 + random() * 20
  for (let from = 0; from < text.length; ) {
    const to = from + 1 + Math.floor(random() * mean)
    chunks.push(text.slice(from, to))
    from = to
  }
  return chunks
}

describe('a guarded stream', () => {
  it('gives the same text and the same verdicts in 100,000 splits at any code unit', () => {
    const random = seededRandom(15)
    let different = 0
    let matches = 0
    for (let round = 0; round < 20_000; round += 1) {
      const text = textOf(random)
      const expected = joined(whole(text))
      matches += expected.split('⟦').length - 1
      for (let split = 0; split < 5; split += 1) {
        const holder = rails.stream()
        const pieces = cutText(text, random).flatMap(chunk => holder.push(chunk))
        const released = joined([...pieces, ...holder.end()])
        if (released !== expected) different += 1
      }
    }
    expect(different).toBe(0)
    expect(matches).toBeGreaterThan(15_000)
  }, 120_000)

  it('gives the text back unchanged, but for the matches', () => {
    const random = seededRandom(16)
    for (let round = 0; round < 1000; round += 1) {
      const text = textOf(random)
      expect(
        whole(text)
          .map(piece => piece.text)
          .join(''),
      ).toBe(text)
    }
  })

  it.each([1, 2, 3])('finds in JSON what it finds in the text, within %i texts', depth => {
    const random = seededRandom(17)
    const rulesIn = (text: string) => whole(text).flatMap(({ verdict }) => verdict?.rule ?? [])
    const within = (text: string) => JSON.stringify(text).slice(1, -1)
    let matches = 0
    for (let round = 0; round < 1000; round += 1) {
      const text = `line\n${textOf(random, PLAIN_PARTS)}`
      const json = Array.from({ length: depth }).reduce<string>(within, text)
      const rules = rulesIn(text)
      expect(rulesIn(json), json).toEqual(rules)
      matches += rules.length
    }
    expect(matches).toBeGreaterThan(500)
  })

  it('takes escapes as a whole, so that JSON stays JSON', () => {
    const json = String.raw`{"text":"a\n\n\u0034111\u00a01111\u200b 1111 1111\n","key":"\t\u0073k-proj-${'aB3_'.repeat(12)}\\"}`
    const redacted = whole(json)
      .map(({ text, verdict }) => (verdict ? `[${verdict.kind}]` : text))
      .join('')
    expect(JSON.parse(redacted)).toEqual({ text: 'a\n\n[card]\n', key: '\t[secret]\\' })
  })

  it('releases prose at once, but for the last word', () => {
    const holder = rails.stream()
    const held = Array.from('The quick brown fox jumps over the lazy dog, twice. And again', character => {
      holder.push(character)
      return holder.held
    })
    expect(Math.max(...held)).toBeLessThanOrEqual(6)
  })

  it('never sends a character of a match before it is complete', () => {
    const holder = rails.stream()
    const sent = Array.from('Card 4111 1111 1111 1111', character =>
      holder.push(character).map(piece => piece.text),
    )
    expect(sent.flat().join('')).toBe('Card ')
    expect(holder.end().map(piece => piece.verdict?.rule)).toEqual(['card-visa'])
  })

  it.each([
    ['digits', '1'],
    ['letters', 'a'],
    ['key', 'A'],
    ['invisible characters', '1\u200b\u200b'],
  ])('holds back no more than the longest match of endless %s', (_, unit) => {
    const holder = rails.stream()
    holder.push('-----BEGIN PRIVATE KEY-----\n')
    let most = 0
    for (let count = 0; count < 3000; count += 1) {
      holder.push(unit.repeat(10))
      most = Math.max(most, holder.held)
    }
    expect(most).toBeLessThanOrEqual(rails.longest * (1 + MOST_INVISIBLE))
    expect(rails.longest).toBe(8320)
  })

  it.each([
    ['marks', '\u0301'],
    ['marks of two code units', '\u{1d165}'],
    ['marks and white space', ' \u0301\u0301 '],
    ['marks after the beginning of a word', 'a\u0301\u0301\u0301'],
  ])('holds back no more than the longest phrase of endless %s', (_, unit) => {
    const phrases = new SpanRails(
      [
        ...wordLists([{ name: 'l', kind: 'word', words: ['acme', 'a'.repeat(200)] }]),
        canaries(['canary-7f3a']),
      ],
      'answer',
    )
    const holder = phrases.stream()
    holder.push('acm')
    let most = 0
    for (let count = 0; count < 3000; count += 1) {
      holder.push(unit.repeat(10))
      most = Math.max(most, holder.held)
    }
    expect(most).toBeLessThanOrEqual(phrases.longest)
    expect(phrases.longest).toBeLessThanOrEqual(rails.longest)
  })

  it('forgets what it has released', () => {
    const holder = rails.stream()
    for (let count = 0; count < 1000; count += 1) holder.push('some words of an answer, ')
    expect(holder.held).toBeLessThan(10)
  })
})
