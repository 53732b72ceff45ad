import { isAscii, isUtf8 } from 'node:buffer'
import { fileTypeFromBuffer } from 'file-type'
import { GatewayError } from '../../errors.ts'

const MARKS: readonly (readonly [mark: Buffer, encoding: string])[] = [
  [Buffer.from([0xff, 0xfe, 0, 0]), 'UTF-32LE'],
  [Buffer.from([0, 0, 0xfe, 0xff]), 'UTF-32BE'],
  [Buffer.from([0xff, 0xfe]), 'UTF-16LE'],
  [Buffer.from([0xfe, 0xff]), 'UTF-16BE'],
]
const SAMPLE_BYTES = 4_096
/** A single NUL can stand in a text by mistake. */
const FEWEST_ZEROS = 2
const WRITTEN = /^[\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}\t\r\n]*$/u
/** Hiragana and katakana as Shift_JIS writes them. */
const KANA = /\x82[\x9f-\xf1]|\x83[\x40-\x96]/g
const CYRILLIC_WORDS = /[\xa8\xb8\xc0-\xff]{3,}/g
const HIGH = /[\x80-\xff]/g
/** Bytes that windows-1252 leaves undefined. */
const NOT_1252 = /[\x81\x8d\x8f\x90\x9d]/

/** The encoding that a byte order mark at the beginning names, other than UTF-8's. */
const markedEncoding = (head: Uint8Array): string | undefined =>
  MARKS.find(([mark]) => mark.equals(head.subarray(0, mark.length)))?.[1]

/** Which of the four places of a group of four bytes hold zeros, and how often. */
const zerosByPlace = (sample: Uint8Array): readonly [number, number, number, number] => {
  const zeros: [number, number, number, number] = [0, 0, 0, 0]
  for (const [at, byte] of sample.entries()) if (byte === 0) zeros[(at % 4) as 0 | 1 | 2 | 3] += 1
  return zeros
}

const isWritten = (sample: Uint8Array, label: string): boolean =>
  WRITTEN.test(new TextDecoder(label).decode(sample).replaceAll('\ufffd', ''))

/** UTF-16 or UTF-32 without a mark. @param head the first bytes of a file */
const wideEncoding = (head: Uint8Array): string | undefined => {
  const sample = head.subarray(0, Math.min(SAMPLE_BYTES, head.length - (head.length % 4) || head.length))
  const [first, second, third, fourth] = zerosByPlace(sample)
  const groups = Math.floor(sample.length / 4)
  if (groups >= FEWEST_ZEROS && third === groups && fourth === groups) return 'UTF-32LE'
  if (groups >= FEWEST_ZEROS && first === groups && second === groups) return 'UTF-32BE'
  const even = first + third
  const odd = second + fourth
  if (even === 0 && odd >= FEWEST_ZEROS && isWritten(sample, 'utf-16le')) return 'UTF-16LE'
  if (odd === 0 && even >= FEWEST_ZEROS && isWritten(sample, 'utf-16be')) return 'UTF-16BE'
  return undefined
}

const countOf = (text: string, pattern: RegExp): number =>
  text.match(pattern)?.reduce((count, found) => count + found.length, 0) ?? 0

/** The encoding that bytes with one byte a letter, or Japanese ones, look like. A guess. */
const narrowEncoding = (bytes: Uint8Array): string | undefined => {
  const text = Buffer.from(bytes.subarray(0, SAMPLE_BYTES)).toString('latin1')
  const high = countOf(text, HIGH)
  if (countOf(text, KANA) > high / 2) return 'Shift_JIS'
  if (countOf(text, CYRILLIC_WORDS) > high / 2) return 'windows-1251'
  return NOT_1252.test(text) ? undefined : 'windows-1252 (Latin-1)'
}

const HEAD_BYTES = 4_100
/** Most bytes of an incomplete character at the end of a chunk. */
const MOST_PENDING = 3
/** Formats that consist of plain characters, yet are not text for a model. */
const DOCUMENTS: ReadonlySet<string> = new Set(['pdf', 'rtf', 'ps', 'eps'])

const refused = (name: string, why: string): GatewayError =>
  new GatewayError('UNSUPPORTED_MEDIA_TYPE', `${name}: ${why}; send plain text in UTF-8.`, {
    details: [{ path: name, message: why }],
  })

const notUtf8 = (name: string, where: string, encoding: string | undefined): GatewayError => {
  const like = encoding === undefined ? '' : `; it looks like ${encoding}`
  const message = `is not valid UTF-8${where}${like}`
  return new GatewayError('INVALID_INPUT', `${name}: ${message}. Save it as UTF-8 and send it again.`, {
    details: [{ path: name, message }],
  })
}

const isBeginOfUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** How many leading bytes could be the beginning of a text. */
const validBytes = (bytes: Uint8Array): number => {
  let fine = 0
  let broken = bytes.length
  while (broken - fine > 1) {
    const middle = (fine + broken) >> 1
    if (isBeginOfUtf8(bytes.subarray(0, middle))) fine = middle
    else broken = middle
  }
  return fine
}

/** How many bytes a character has whose first is this one; 1 for an invalid first byte. */
const lengthOf = (first: number): number => {
  if (first < 0xc2 || first > 0xf4) return 1
  if (first < 0xe0) return 2
  return first < 0xf0 ? 3 : 4
}

/** Where the last character begins when it is not yet complete, or else the end. */
const endOfWhole = (bytes: Uint8Array): number => {
  const tail = bytes.subarray(-MOST_PENDING)
  const first = tail.findLastIndex(byte => (byte & 0xc0) !== 0x80)
  const has = tail.length - first
  return first >= 0 && lengthOf(tail[first] as number) > has ? bytes.length - has : bytes.length
}

const assertNotOtherwise = async (name: string, head: Buffer): Promise<void> => {
  const marked = markedEncoding(head)
  if (marked !== undefined) throw notUtf8(name, '', marked)
  const type = await fileTypeFromBuffer(head)
  if (type && (DOCUMENTS.has(type.ext) || head.includes(0) || !isBeginOfUtf8(head)))
    throw refused(name, `is a file of type ${type.mime}`)
  const wide = head.includes(0) ? wideEncoding(head) : undefined
  if (wide !== undefined) throw notUtf8(name, '', wide)
}

async function* headFirst(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of source) {
    if (head) head = Buffer.concat([head, chunk])
    else yield chunk
    if (!head || head.length < HEAD_BYTES) continue
    yield head
    head = undefined
  }
  if (head?.length) yield head
}

/** The likely encoding of a text that is not UTF-8; damaged UTF-8 where it held non-ASCII characters until then. */
const likely = (hasOther: boolean, valid: Uint8Array, rest: Uint8Array): string | undefined =>
  hasOther || !isAscii(valid) ? 'UTF-8 that was damaged or cut off' : narrowEncoding(rest)

/**
 * The chunks as they come, as long as they are text in UTF-8; the declared type is ignored.
 * @throws GatewayError INVALID_INPUT for text in another encoding, with the position of the first byte that cannot
 * stand where it does, counted from 0, and the encoding that it looks like; UNSUPPORTED_MEDIA_TYPE for anything other
 * than text, with its type where that is known.
 */
export async function* onlyText(name: string, source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let position = 0
  let pending: Buffer = Buffer.alloc(0)
  let hasOther = false
  for await (const chunk of headFirst(source)) {
    if (position === 0) await assertNotOtherwise(name, chunk)
    const text = pending.length > 0 ? Buffer.concat([pending, chunk]) : chunk
    const end = endOfWhole(text)
    if (!isUtf8(text.subarray(0, end))) {
      const valid = validBytes(text)
      const whole = endOfWhole(text.subarray(0, valid))
      const encoding = likely(hasOther, text.subarray(0, whole), text.subarray(whole))
      throw notUtf8(name, ` at byte ${position - pending.length + valid}`, encoding)
    }
    const zero = chunk.indexOf(0)
    if (zero >= 0) throw refused(name, `contains a NUL at byte ${position + zero}`)
    yield chunk
    position += chunk.length
    pending = Buffer.from(text.subarray(end))
    hasOther ||= !isAscii(text.subarray(0, end))
  }
  if (pending.length > 0) {
    const encoding = hasOther ? undefined : narrowEncoding(pending)
    throw notUtf8(name, ` at byte ${position - pending.length}: it ends within a character`, encoding)
  }
}
