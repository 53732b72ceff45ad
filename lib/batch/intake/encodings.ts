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
export const markedEncoding = (head: Uint8Array): string | undefined =>
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
export const wideEncoding = (head: Uint8Array): string | undefined => {
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
export const narrowEncoding = (bytes: Uint8Array): string | undefined => {
  const text = Buffer.from(bytes.subarray(0, SAMPLE_BYTES)).toString('latin1')
  const high = countOf(text, HIGH)
  if (countOf(text, KANA) > high / 2) return 'Shift_JIS'
  if (countOf(text, CYRILLIC_WORDS) > high / 2) return 'windows-1251'
  return NOT_1252.test(text) ? undefined : 'windows-1252 (Latin-1)'
}
