import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SseEvent, SseEventTooLarge, SseParser } from '#lib/sse-parser.ts'

const parse = (...chunks: readonly (string | Uint8Array)[]): SseEvent[] => {
  const parser = new SseParser()
  return chunks.flatMap(chunk => parser.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk))
}
const data = (...values: string[]): SseEvent[] => values.map(value => ({ event: '', data: value }))

describe('SseParser', () => {
  it.each<[string, string, SseEvent[]]>([
    ['ends events at blank lines', 'data: a\n\ndata: b\n\n', data('a', 'b')],
    ['takes CRLF', 'data: a\r\n\r\n', data('a')],
    ['takes a lone CR', 'data: a\r\rdata: b\r\r', data('a', 'b')],
    ['takes line ends mixed', 'data: a\r\n\ndata: b\n\rdata: c\r\n\r', data('a', 'b', 'c')],
    ['needs no space after the colon', 'data:a\n\n', data('a')],
    ['takes off one space only', 'data:  a\n\n', data(' a')],
    ['joins several data lines', 'data: a\ndata\ndata: b\n\n', data('a\n\nb')],
    ['skips comments', ': hi\n\n:\ndata: a\n\n', data('a')],
    ['skips a byte order mark', '\ufeffdata: a\n\n', data('a')],
    ['keeps a second byte order mark', '\ufeffdata: \ufeffa\n\n', data('\ufeffa')],
    [
      'keeps the event name',
      'event: ping\ndata: a\n\ndata: b\n\n',
      [{ event: 'ping', data: 'a' }, ...data('b')],
    ],
    ['dispatches nothing without data', 'event: ping\nid: 1\nretry: 3\n\ndata: a\n\n', data('a')],
    ['skips fields it does not know', 'foo: bar\ndata: a\n\n', data('a')],
    ['drops an event that the end cuts off', 'data: a\n\ndata: b\n', data('a')],
    ['keeps colons in values', 'data: {"a":"b: c"}\n\n', data('{"a":"b: c"}')],
  ])('%s', (_, text, expected) => expect(parse(text)).toEqual(expected))

  it.each([
    ['is that of the last whole event', 'id: 1\ndata: a\n\nid: 2\ndata: b\n', '1'],
    ['lasts until another one comes', 'id: 1\ndata: a\n\ndata: b\n\n', '1'],
    ['is empty again where a stream says so', 'id: 1\ndata: a\n\nid\ndata: b\n\n', ''],
    ['is never one with a zero byte', 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n', '1'],
    ['counts also where an event says nothing else', 'id: 7\n\n', '7'],
    ['is empty where there is none', 'data: a\n\n', ''],
  ])('has an id to come back with, which %s', (_, text, expected) => {
    const parser = new SseParser()
    for (const byte of Buffer.from(text)) parser.push(Uint8Array.of(byte))
    expect(parser.lastEventId).toBe(expected)
  })

  it.each<[string, string, SseEvent | undefined]>([
    ['is the one whose line has no end', 'data: a\n\ndata: b', data('b')[0]],
    ['is the one whose blank line is missing', 'event: x\ndata: a\ndata: b\n', { event: 'x', data: 'a\nb' }],
    ['is none after a blank line', 'data: a\n\n', undefined],
    ['is none where no data came', 'data: a\n\nevent: x\nid: 4\n: comment', undefined],
    ['is none of an empty stream', '', undefined],
  ])('has an event that the end cuts off, which %s', (_, text, expected) => {
    const parser = new SseParser()
    for (const byte of Buffer.from(text)) parser.push(Uint8Array.of(byte))
    expect(parser.end()).toEqual(expected)
  })

  it('understands the same whatever chunks the bytes come in', () => {
    const piece = fc.constantFrom(
      'data: ',
      'data:',
      ': note',
      'event: x',
      '\n',
      '\r\n',
      '\r',
      '\n\n',
      'ü',
      '🎉',
      'abc',
      ' ',
      '\ufeff',
    )
    const streams = fc.array(piece, { maxLength: 40 }).map(pieces => Buffer.from(`${pieces.join('')}\n\n`))
    fc.assert(
      fc.property(streams, fc.array(fc.nat(200), { maxLength: 20 }), (bytes, cuts) => {
        const places = [0, ...cuts.filter(cut => cut < bytes.length).toSorted((a, b) => a - b), bytes.length]
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        expect(parse(...chunks)).toEqual(parse(bytes))
      }),
      { numRuns: 2_000 },
    )
  })

  it('skips one byte order mark also where it comes in pieces', () => {
    const bytes = Buffer.from('\ufeff\ufeffdata: a\n\ndata: b\n\n')
    for (const split of bytes.keys())
      expect(parse(bytes.subarray(0, split), bytes.subarray(split))).toEqual(data('b'))
  })

  it('understands every split of one real stream', () => {
    const bytes = Buffer.from(
      '\ufeff: ok\r\ndata: {"text":"grün 🎉"}\r\n\r\nevent: x\rdata: 1\rdata: 2\r\rdata: [DONE]\n\n',
    )
    const whole = parse(bytes)
    expect(whole).toHaveLength(3)
    for (let first = 0; first <= bytes.length; first += 1)
      for (let second = first; second <= bytes.length; second += 1)
        expect(
          parse(bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)),
        ).toEqual(whole)
  })

  it('refuses a line longer than a mebibyte, wherever it is cut', () => {
    const parser = new SseParser()
    const chunk = Buffer.alloc(64 * 1024, 'x')
    parser.push(Buffer.from('data: '))
    expect(() => {
      for (let chunks = 0; chunks < 32; chunks += 1) parser.push(chunk)
    }).toThrow(SseEventTooLarge)
  })

  it.each(['x', 'ж', '字', '😀'])(
    'counts the bytes of what is kept, of %s as of any other text',
    character => {
      const most = 120_000
      const piece = Buffer.from(character.repeat(12_000 / Buffer.byteLength(character)))
      const lengthOf = (parser: SseParser, each: Uint8Array): number => {
        for (let bytes = 0; ; bytes += each.length) {
          try {
            parser.push(each)
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(SseEventTooLarge)
            return bytes
          }
        }
      }
      const line = new SseParser(most)
      line.push(Buffer.from('data: '))
      expect(lengthOf(line, piece)).toBeGreaterThan(most - 2 * piece.length)
      const manyLines = new SseParser(most)
      expect(
        lengthOf(manyLines, Buffer.concat([Buffer.from('data: '), piece, Buffer.from('\n')])),
      ).toBeLessThanOrEqual(most)
      const cut = new SseParser(most)
      for (const byte of piece.subarray(0, 100)) cut.push(Buffer.from([byte]))
      expect(lengthOf(cut, piece)).toBeLessThanOrEqual(most)
    },
  )

  it('counts nothing of what it does not keep', () => {
    const parser = new SseParser(100)
    for (let sent = 0; sent < 100; sent += 1) {
      parser.push(Buffer.from(': ignored\nid: 1\n: more'))
      parser.push(Buffer.from('\n'))
    }
    for (let sent = 0; sent < 100; sent += 1)
      expect(parser.push(Buffer.from('data: a\n\n: x\n'))).toEqual(data('a'))
  })

  it('refuses an event of endless data lines', () => {
    const parser = new SseParser(100)
    expect(() => parser.push(Buffer.from('data: 0123456789\n'.repeat(20)))).toThrow(SseEventTooLarge)
  })
})
