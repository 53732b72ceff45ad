import { describe, expect, it } from 'vitest'
import { newKey } from '#lib/auth/keys/format.ts'
import { KNOWN_WORDS } from '#lib/guardrails/injection/compile.ts'
import { hitsIn } from '#lib/guardrails/injection/match.ts'
import { allViewsOf, viewsOf } from '#lib/guardrails/injection/views.ts'
import { mayFind, Scanner } from '#lib/guardrails/scan/scanner.ts'
import { visible } from '#lib/guardrails/scan/visible-text.ts'
import { sensitiveData } from '#lib/guardrails/sensitive/rail.ts'
import { SpanRails } from '#lib/guardrails/span-rails.ts'
import { ENCODINGS, isReadable, passagesIn } from '#lib/guardrails/text/payloads.ts'
import { hashOf, LONGEST_READ, PlainWords } from '#lib/guardrails/text/plain-words.ts'
import { isAscii, tokensOf } from '#lib/guardrails/text/tokens.ts'
import { atOnce } from '#lib/loop-turns.ts'
import { messages } from '../../../bench/conversation.ts'
import { readCorpora } from '../../../bench/guardrails/corpora.ts'
import { DISGUISES, FURTHER_DISGUISES } from '../../../bench/guardrails/disguises.ts'
import { identifierTexts } from '../../../bench/guardrails/identifiers.ts'
import { KNOWN_ATTACKS } from '../../../bench/guardrails/known-attacks.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const random = seededRandom(23)
const upTo = (most: number): number => Math.floor(random() * most)
const pick = <T>(list: readonly T[]): T => list[upTo(list.length)] as T
const times = (count: number, make: () => string): string[] => Array.from({ length: count }, make)

/** Identifiers of kinds that the generated ones do not have. */
const FURTHER_IDENTIFIERS = [
  '12345678Z',
  'AB 12 34 56 C',
  'RSSMRA85T10A562S',
  '131052-308T',
  '11010519491231002X',
  '2001:db8::1',
  'dead:beef:dead:beef:dead:beef:dead:beef',
  'Tel. (030) 12 34 567',
  '４１１１ 1111 1111 1111',
  newKey(),
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcdefghijkl',
  '-----BEGIN EC PRIVATE KEY-----\nABCDEFGHIJKLMNOP',
  'postgres://app:s3cret@db/x',
]

const CHARACTERS = Array.from(
  'abcdefghijklmnopqrstuvwxyzABCDEFXYZ0011223344556789 01234      ....,::::---//@@++()==__\'"%&\\<[#*|\n\t{}!?$é–“’·４\u200b\u00a0漢и\ud83d\u007f',
)
const BETWEEN = [' ', ' ', ' ', ', ', '. ', '\n', "'", '-', '_', '!', '', '(', '’', '/', '=', '%20', ' the ']

const words = [...KNOWN_WORDS]
const word = (): string => {
  const known = pick(words)
  return pick([known, known, known, known.toUpperCase(), [...known].join(' '), [...known].reverse().join('')])
}

const attacks = KNOWN_ATTACKS.flatMap(text => [
  text,
  ...Object.values({ ...DISGUISES, ...FURTHER_DISGUISES }).map(disguise => disguise(text)),
])
const identifiers = [...identifierTexts(5, 60).map(({ text }) => text), ...FURTHER_IDENTIFIERS]
/** A part of all kinds, for tests that take long; all of them in a long run. */
const someIdentifiers = identifiers.filter((_, index) => process.env.SOAK || index % 5 === 0)
const corpora = readCorpora()
const TEXTS = [
  ...corpora.flatMap(({ lines }) => lines.map(line => line.slice(0, 2000))),
  ...attacks,
  ...identifiers,
  ...times(3000, () => times(1 + upTo(20), () => word() + pick(BETWEEN)).join('')),
  ...times(3000, () => times(1 + upTo(60), () => pick(CHARACTERS)).join('')),
  ...times(3000, () => {
    const text = pick(identifiers)
    return pick(attacks).slice(0, upTo(40)) + pick(CHARACTERS) + text.slice(upTo(4), 4 + upTo(text.length))
  }),
]

const hits = (views: ReturnType<typeof viewsOf>) =>
  [...views].flatMap(({ name, tokens }) => hitsIn(tokens).map(hit => ({ ...hit, isPlain: name === 'plain' })))

describe('a quick look at a text', () => {
  it.each(sensitiveData.detectors.map(detector => [detector.name, detector] as const))(
    'misses no text in which something is found: %s',
    (_, detector) => {
      const alone = new SpanRails([{ ...sensitiveData, detectors: [detector] }], 'user')
      const found = TEXTS.filter(text => {
        const stream = alone.stream()
        return [...stream.push(text), ...stream.end()].some(({ verdict }) => verdict)
      })
      expect(found.length).toBeGreaterThan(0)
      expect(found.filter(text => !mayFind(detector, visible(text)))).toEqual([])
    },
  )

  it('misses nothing in a long text, wherever its parts end', () => {
    const rails = new SpanRails([sensitiveData], 'user')
    const verdictsOf = (text: string) => {
      const stream = rails.stream()
      return [...stream.push(text), ...stream.end()].flatMap(({ verdict }) => verdict ?? [])
    }
    let found = 0
    for (const identifier of someIdentifiers)
      for (const invisible of ['', '\u200b'.repeat(16)]) {
        const spaced = [...identifier].join(invisible)
        const long = `${'word '.repeat(7_000).slice(0, 9_000 + upTo(12_000))} ${spaced} ${'word '.repeat(500)}`
        const verdicts = verdictsOf(long)
        expect(atOnce(rails.inspect(long))).toEqual(verdicts)
        found += verdicts.length
      }
    expect(found).toBeGreaterThan(someIdentifiers.length / 2)
  })

  it('leaves out no reading of a text in which a rule of injections matches', () => {
    let matched = 0
    for (const text of TEXTS) {
      const all = hits(allViewsOf(text))
      matched += all.length
      expect(hits(viewsOf(text))).toEqual(all)
    }
    expect(matched).toBeGreaterThan(1000)
  })

  it.each(ENCODINGS.map(encoding => [encoding.name, encoding] as const))(
    'misses no encoded passage: %s',
    (_, encoding) => {
      const of = (found: Iterable<RegExpExecArray>) => [...found].map(match => [match[0], match.index])
      const all = TEXTS.map(text => of(text.matchAll(encoding.pattern)))
      expect(all.flat().length).toBeGreaterThan(0)
      expect(TEXTS.map(text => of(passagesIn(text, encoding)))).toEqual(all)
    },
  )

  it('leaves base64 undecoded only where its bytes are no text', () => {
    const base64 = ENCODINGS.find(({ name }) => name === 'base64')
    if (!base64) throw new Error('There is no base64.')
    const passages = TEXTS.flatMap(text => [...passagesIn(text, base64)].map(([passage]) => passage))
    const skipped = passages.filter(passage => base64.decode(passage) === undefined)
    expect(skipped.length).toBeGreaterThan(100)
    expect(
      skipped.filter(passage =>
        isReadable(Buffer.from(passage.replace(/\s/g, ''), 'base64').toString('utf8')),
      ),
    ).toEqual([])
  })

  it('reads the same words of plain text as the full look does', () => {
    const read = new PlainWords()
    for (const text of TEXTS.filter(each => isAscii(each) && each.length <= LONGEST_READ)) {
      read.read(text)
      const found = Array.from({ length: read.count }, (_, at) => [
        read.starts[at],
        read.ends[at],
        read.lengths[at],
        read.hashes[at],
      ])
      expect(found).toEqual(
        tokensOf(text).map(token => [token.start, token.end, token.text.length, hashOf(token.text)]),
      )
    }
  })

  it('is all that most prose needs', () => {
    const scanner = new Scanner(sensitiveData.detectors)
    for (const { content } of messages) {
      expect(scanner.possibleIn(content)).toBe(0)
      expect([...viewsOf(content)]).toEqual([])
    }
    const harmless = corpora.filter(({ label }) => label === 'harmless').flatMap(({ lines }) => lines)
    const read = harmless.filter(text => [...viewsOf(text)].some(({ name }) => name === 'plain'))
    expect(read.length).toBeLessThan(harmless.length / 50)
  })
})
