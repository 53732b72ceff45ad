import { hasRun, oneOf, runStart } from '../scan/characters.ts'

/** Encoded passages of a text, and how they are decoded. All patterns are linear: their parts cannot match the same text. */
export interface Encoding {
  readonly name: string
  readonly pattern: RegExp
  /** From a position on, where the next passage may begin at the earliest, found sooner than by the pattern; -1: none. */
  readonly nextIn?: (text: string, from: number) => number
  /** The decoded text; undefined where the passage is something else. */
  readonly decode: (passage: string) => string | undefined
}

const bytes = (encoded: string, encoding: 'base64' | 'hex'): string =>
  Buffer.from(encoded, encoding).toString('utf8')

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

const base32 = (text: string): string => {
  const out: number[] = []
  let bits = 0
  let value = 0
  for (const character of text.replace(/=+$/, '')) {
    value = ((value << 5) | BASE32.indexOf(character)) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    out.push((value >> bits) & 0xff)
  }
  return Buffer.from(out).toString('utf8')
}

const MORSE: Readonly<Record<string, string>> = Object.fromEntries(
  '.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----.'
    .split(' ')
    .map((code, index) => [code, 'abcdefghijklmnopqrstuvwxyz0123456789'.charAt(index)]),
)

const morse = (text: string): string =>
  text
    .replace(/[·•]/g, '.')
    .replace(/[−–—_]/g, '-')
    .split(/\s*[/|\n]\s*|\s{2,}/)
    .map(word =>
      word
        .split(' ')
        .map(code => MORSE[code] ?? '')
        .join(''),
    )
    .join(' ')

const codes = (text: string, pattern: RegExp, radix: number): string =>
  String.fromCharCode(...(text.match(pattern) ?? []).slice(0, 4096).map(code => Number.parseInt(code, radix)))

const isBinary = oneOf(/[01]/)
const isBase32 = oneOf(/[A-Z2-7]/)
const isBase64 = oneOf(/[A-Za-z0-9+/_-]/)
const SHORTEST_BASE64 = 10

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** The six bits of each character, by its code; those of the alphabet for URLs too. */
const SIX_BITS = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, BASE64.indexOf(String.fromCharCode(code).replace('-', '+').replace('_', '/'))),
)
const isReadableAscii = oneOf(/[\s -~]/)

/** Whether the first bytes of a base64 passage may be text in UTF-8: those of most words of ten letters are not. */
const beginsReadable = (passage: string): boolean => {
  const bits = [0, 1, 2, 3].reduce((left, at) => (left << 6) | (SIX_BITS[passage.charCodeAt(at)] ?? 0), 0)
  for (const byte of [bits >> 16, (bits >> 8) & 0xff, bits & 0xff]) {
    if (byte >= 0xc2 && byte <= 0xf4) return true
    if (!isReadableAscii(byte)) return false
  }
  return true
}

export const ENCODINGS: readonly Encoding[] = [
  {
    name: 'hex',
    pattern: /(?:\\x|0x|%)?[0-9a-fA-F]{2}(?:[\s,:;-]{0,2}(?:\\x|0x|%)?[0-9a-fA-F]{2}){7,}/g,
    decode: passage => bytes(passage.replace(/\\x|0x|[^0-9a-fA-F]/g, ''), 'hex'),
  },
  {
    name: 'binary',
    pattern: /[01]{7,8}(?:[\s,]{0,2}[01]{7,8}){5,}/g,
    nextIn: (text, from) => runStart(text, from, 7, isBinary),
    decode: passage =>
      /[\s,]/.test(passage) ? codes(passage, /[01]{7,8}/g, 2) : codes(passage, /[01]{8}/g, 2),
  },
  {
    name: 'character-codes',
    pattern: /\b\d{2,3}(?:[\s,;]{1,2}\d{2,3}){7,}\b/g,
    decode: passage => codes(passage, /\d+/g, 10),
  },
  {
    name: 'base32',
    pattern: /\b[A-Z2-7]{16,}={0,6}/g,
    nextIn: (text, from) => runStart(text, from, 16, isBase32),
    decode: base32,
  },
  {
    name: 'base64',
    pattern: /[A-Za-z0-9+/_-]{10,}(?:\r?\n[A-Za-z0-9+/_-]{10,})*={0,2}/g,
    nextIn: (text, from) => runStart(text, from, SHORTEST_BASE64, isBase64),
    decode: passage => (beginsReadable(passage) ? bytes(passage.replace(/\s/g, ''), 'base64') : undefined),
  },
  {
    name: 'morse',
    pattern: /[.\-·•−–—_]{1,6}(?:[ /|\n]{1,3}[.\-·•−–—_]{1,6}){7,}/g,
    decode: morse,
  },
]

/** The passages of a text in an encoding, in order. */
export function* passagesIn(text: string, { pattern, nextIn }: Encoding): Generator<RegExpExecArray> {
  let from = 0
  for (;;) {
    const start = nextIn ? nextIn(text, from) : from
    if (start === -1) return
    pattern.lastIndex = start
    const match = pattern.exec(text)
    if (!match) return
    yield match
    from = match.index + match[0].length
  }
}

/** Every encoded passage has such a part, or a run of base64: prose without one is not searched for each encoding. */
const HAS_PAYLOAD =
  /(?:[\da-fA-F]{2,8}[\s,:;-]{1,2}){4}|(?:\\x|0x|%)[\da-fA-F]{2}|(?:[.\-·•−–—_]{1,6}[ /|\n]{1,3}){4}/

/** Whether a text may hold encoded passages. */
export const mayHoldPayload = (text: string): boolean =>
  hasRun(text, SHORTEST_BASE64, isBase64) || HAS_PAYLOAD.test(text)

const READABLE = /^[\p{L}\p{N}\p{P}\p{Zs}\p{S}\s\p{Cf}\p{M}]*$/u

/** Whether decoded bytes are a text: none of the replacement and control characters that garbage has. */
export const isReadable = (text: string): boolean =>
  text.length > 5 && !text.includes('\ufffd') && READABLE.test(text.slice(0, 256)) && /[\p{L}]{2}/u.test(text)
