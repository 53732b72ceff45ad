import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'

const PREFIX = 'pk_live_'
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 34 characters of 62 hold 202 bits; those that are not displayed, 178. */
const RANDOM_CHARACTERS = 34
const DISPLAYED_CHARACTERS = 4
const CHECKSUM_CHARACTERS = 6
const SHAPE = /^pk_live_[0-9A-Za-z]{40}$/

const checksumOf = (text: string): string => {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < CHECKSUM_CHARACTERS; place += 1) {
    digits = (ALPHABET[rest % ALPHABET.length] ?? '') + digits
    rest = Math.floor(rest / ALPHABET.length)
  }
  return digits
}

/** A new key: `pk_live_`, 34 random characters, and their checksum, by which scanners recognise it. */
export const newKey = (): string => {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)])
  const body = `${PREFIX}${random.join('')}`
  return body + checksumOf(body)
}

/** Whether a text has the prefix, the length, the alphabet and the checksum of a key. */
export const isKeyShaped = (text: string): boolean =>
  SHAPE.test(text) && checksumOf(text.slice(0, -CHECKSUM_CHARACTERS)) === text.slice(-CHECKSUM_CHARACTERS)

/** The part of a key by which its owner recognises it. */
export const displayPrefix = (key: string): string => key.slice(0, PREFIX.length + DISPLAYED_CHARACTERS)
