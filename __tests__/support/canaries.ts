import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** In each planted secret twice, so that half of one is found too. */
const TAG = 'C4n4Ry'
const DIGITS = 4
/** Base64 of a text depends on where in a group of three bytes it begins. */
const BASE64_OFFSETS = [0, 1, 2]

/** The characters of base64 that depend on the text alone, where `offset` bytes stand before it. */
const base64Core = (text: string, offset: number): string => {
  const encoded = Buffer.from('x'.repeat(offset) + text).toString('base64')
  return encoded.replace(/=+$/, '').slice(offset === 0 ? 0 : offset + 1, -1)
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

const WRITTEN_TAGS = [
  TAG,
  ...BASE64_OFFSETS.map(offset => base64Core(TAG, offset)),
  Buffer.from(TAG).toString('hex'),
  [...TAG].map(letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  [...TAG].map(letter => `%${letter.charCodeAt(0).toString(16)}`).join(''),
]
const FOUND = new RegExp(`(?:${WRITTEN_TAGS.map(escaped).join('|')})(\\d{${DIGITS}})?`, 'gi')
const KEY = /pk_live_[0-9A-Za-z]{12,}|cGtfbGl2ZV[\w+/-]{16,}/g
const AROUND = 60

/** Secrets with a mark in them, and a search for the mark in any encoding. */
export class Canaries {
  readonly #labels: string[] = []
  readonly #known = new Map<string, string>()

  /** A new secret. It is not weak, and holds characters that encodings change unless `plain`. */
  plant(label: string, { plain = false } = {}): string {
    const number = String(this.#labels.push(label) - 1).padStart(DIGITS, '0')
    const middle = plain ? 'kQ7vZ2mX' : 'kQ7/v+Z=2~m"X&'
    return `${TAG}${number}${middle}${number}${TAG}${number}wB9tL`
  }

  /** A secret that the gateway has made: no text may hold it. */
  know(value: string, label: string): void {
    this.#known.set(value, label)
  }

  get count(): number {
    return this.#labels.length + this.#known.size
  }

  /** The places in a text where a secret is, each with its surroundings. */
  in(text: string, where: string): string[] {
    const found: string[] = []
    const add = (at: number, label: string) =>
      found.push(`${label} in ${where}: …${text.slice(Math.max(0, at - AROUND), at + AROUND)}…`)
    for (const match of text.matchAll(FOUND)) add(match.index, this.#labels[Number(match[1])] ?? 'a secret')
    for (const match of text.matchAll(KEY)) add(match.index, 'an API key')
    for (const [value, label] of this.#known) {
      const at = text.indexOf(value)
      if (at >= 0) add(at, label)
    }
    return found
  }

  /** The places in all files below a directory where a secret is; files of the exempt names are left out. */
  inFiles(directory: string, exempt: readonly string[] = []): string[] {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter(name => !exempt.includes(name) && statSync(join(directory, name)).isFile())
      .flatMap(name => this.in(readFileSync(join(directory, name), 'latin1'), name))
  }
}

/** Ways in which a text may be written in an error. */
export const WRITTEN: Readonly<Record<string, (secret: string) => string>> = {
  plain: secret => secret,
  base64: secret => Buffer.from(secret).toString('base64'),
  'base64 of a header': secret => Buffer.from(`Bearer ${secret}`).toString('base64'),
  'base64 of Basic': secret => Buffer.from(`user:${secret}`).toString('base64'),
  base64url: secret => Buffer.from(secret).toString('base64url'),
  'URL-encoded': secret => encodeURIComponent(secret),
  'form-encoded': secret => String(new URLSearchParams({ secret })),
  'URL-encoded in lower case': secret =>
    encodeURIComponent(secret).replace(/%../g, code => code.toLowerCase()),
  'JSON in JSON': secret => JSON.stringify(JSON.stringify({ secret })),
  hex: secret => Buffer.from(secret).toString('hex'),
}
