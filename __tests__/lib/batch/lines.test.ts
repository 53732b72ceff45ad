import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Line, linesOf } from '#lib/batch/intake/lines.ts'

const LONGEST = 12

async function* all(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

const read = async (chunks: readonly Uint8Array[], maxBytes = LONGEST): Promise<Line[]> => {
  const lines: Line[] = []
  for await (const line of linesOf(all(chunks), maxBytes)) lines.push(line)
  return lines
}

const linesIn = (text: string, maxBytes?: number): Promise<Line[]> => read([Buffer.from(text)], maxBytes)

const cut = (bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] => {
  const ends = [...cuts.filter(end => end <= bytes.length).toSorted((a, b) => a - b), bytes.length]
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

const utf8 = (text: string): Uint8Array => Buffer.from(text)
const latin = (text: string): Uint8Array => Buffer.from(text, 'latin1')

const piece = fc.constantFrom(
  ...['\n', '\r\n', '\r', '\n\n', ' ', '\t', 'a', 'bcdef', 'ü', '€', '🎉', '\ufeff', '\u2028'].map(utf8),
  latin('\xff'),
  latin('\xf0\x9f'),
  utf8('much longer than that'),
)
const texts = fc.array(piece, { maxLength: 30 }).map(pieces => Buffer.concat(pieces))
const cuts = fc.array(fc.nat(120), { maxLength: 20 })

describe('the lines of a text', () => {
  it('are the same whatever chunks its bytes come in', async () => {
    await fc.assert(
      fc.asyncProperty(texts, cuts, async (bytes, places) => {
        expect(await read(cut(bytes, places))).toEqual(await read([bytes]))
      }),
      { numRuns: 2_000 },
    )
  })

  it('are the same where each byte comes alone', async () => {
    await fc.assert(
      fc.asyncProperty(texts, async bytes => {
        expect(await read([...bytes].map(byte => Uint8Array.of(byte)))).toEqual(await read([bytes]))
      }),
    )
  })

  it('hold all of it, each with its number', async () => {
    const character = fc.constantFrom('\n', '\r\n', ' ', 'a', 'ü', '🎉', '\u2028')
    await fc.assert(
      fc.asyncProperty(fc.array(character, { maxLength: 40 }), cuts, async (characters, places) => {
        const text = characters.join('')
        const expected = text
          .split(/\r?\n/)
          .map((line, index) => ({ line: index + 1, text: line }))
          .filter(line => line.text.trim() !== '')
        expect(await read(cut(utf8(text), places), 1_000)).toEqual(expected)
      }),
      { numRuns: 1_000 },
    )
  })

  it('are counted also where they are blank, and left out then', async () => {
    expect(await linesIn('\n \na\n\t\r\n\r\nb\n\n')).toEqual([
      { line: 3, text: 'a' },
      { line: 6, text: 'b' },
    ])
  })

  it.each(['', '\n', '\r\n\r\n', '\ufeff', '\ufeff\r\n', '  '])('are none in %j', async text => {
    expect(await linesIn(text)).toEqual([])
  })

  it('are none where nothing comes at all', async () => {
    expect(await read([])).toEqual([])
    expect(await read([new Uint8Array(), new Uint8Array()])).toEqual([])
  })

  it('need no line end after the last one', async () => {
    expect(await linesIn('a\nb')).toEqual(await linesIn('a\nb\n'))
  })

  it('keep the spaces around them, and a carriage return within', async () => {
    expect(await linesIn(' a\rb \r\r\n')).toEqual([{ line: 1, text: ' a\rb \r' }])
  })

  it('begin after a byte order mark, also where it comes in pieces; any other one is theirs', async () => {
    const bytes = utf8('\ufeff\ufeffa\n\ufeffb')
    for (const first of [0, 1, 2, 3, 4])
      expect(await read(cut(bytes, [first, first + 1]))).toEqual([
        { line: 1, text: '\ufeffa' },
        { line: 2, text: '\ufeffb' },
      ])
  })

  it('are read wherever a character is cut', async () => {
    const bytes = utf8('ü€🎉\n🎉')
    for (const place of bytes.keys())
      expect(await read(cut(bytes, [place]))).toEqual([
        { line: 1, text: 'ü€🎉' },
        { line: 2, text: '🎉' },
      ])
  })

  it('come one by one, before the next bytes are read', async () => {
    let chunks = 0
    const bytes = async function* () {
      for (const text of ['a\nb', '\nc\n']) {
        chunks += 1
        yield utf8(text)
      }
    }
    const lines = linesOf(bytes(), LONGEST)
    expect(await lines.next()).toMatchObject({ value: { text: 'a' } })
    expect(chunks).toBe(1)
    expect(await lines.next()).toMatchObject({ value: { text: 'b' } })
  })
})

describe('a line that cannot be read', () => {
  const tooLong = (line: number) => ({ line, fault: 'the line is longer than 12 bytes' })
  const notUtf8 = (line: number) => ({ line, fault: 'the line is not valid UTF-8' })

  it('is one that is too long in bytes, whatever its characters are', async () => {
    expect(await linesIn(`${'a'.repeat(12)}\n${'a'.repeat(13)}\n🎉🎉🎉\n🎉🎉🎉a\nb`)).toEqual([
      { line: 1, text: 'a'.repeat(12) },
      tooLong(2),
      { line: 3, text: '🎉🎉🎉' },
      tooLong(4),
      { line: 5, text: 'b' },
    ])
  })

  it('says its longest length as people write it', async () => {
    expect(await linesIn('a'.repeat(1_001), 1_000)).toEqual([
      { line: 1, fault: 'the line is longer than 1,000 bytes' },
    ])
  })

  it.each([
    ['a byte that is none', '\xff'],
    ['half a character', '\xf0\x9f\x8e'],
    ['a surrogate', '\xed\xa0\x80'],
    ['a longer form of a slash', '\xc0\xaf'],
  ])('is one that holds %s, and those around it can be', async (_, bytes) => {
    expect(await read([utf8('a\n'), latin(`${bytes}\r\n`), utf8('ü')])).toEqual([
      { line: 1, text: 'a' },
      notUtf8(2),
      { line: 3, text: 'ü' },
    ])
  })

  it('is not one that only holds more than a text should', async () => {
    expect(await linesIn('a\0b')).toEqual([{ line: 1, text: 'a\0b' }])
  })

  it('is reported as too long however long it is, and those around it are read', async () => {
    const endless = Array.from({ length: 10_000 }, () => utf8('x'.repeat(1_000)))
    expect(await read([utf8('a\n'), ...endless, utf8('\nb')])).toEqual([
      { line: 1, text: 'a' },
      tooLong(2),
      { line: 3, text: 'b' },
    ])
  })
})
