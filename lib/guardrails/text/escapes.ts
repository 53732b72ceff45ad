import type { Token } from './tokens.ts'
import { tokensOf } from './tokens.ts'

/** Percent-encoding, HTML character references, escapes of JSON and programming languages, quoted-printable. */
const ESCAPE =
  /%[0-9a-fA-F]{2}|&#[xX]?[0-9a-fA-F]{1,6};?|&[a-zA-Z]{2,8};|\\u\{?[0-9a-fA-F]{4,6}\}?|\\x[0-9a-fA-F]{2}|\\[nrt]|=[0-9A-F]{2}/g

/** Without one of these there is no escape. */
const HAS_ESCAPE = /[%&\\=]/

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  shy: '',
  zwnj: '',
  zwj: '',
  period: '.',
  colon: ':',
  comma: ',',
}

const character = (point: number): string => (point <= 0x10ffff ? String.fromCodePoint(point) : '')

const decoded = (written: string): string => {
  if (/^\\[nrt]$/.test(written)) return ' '
  if (written.startsWith('&#'))
    return character(
      /^&#[xX]/.test(written) ? Number.parseInt(written.slice(3), 16) : Number.parseInt(written.slice(2), 10),
    )
  if (written.startsWith('&')) return NAMED[written.slice(1, -1)] ?? written
  return character(Number.parseInt(written.replace(/[^0-9a-fA-F]/g, ''), 16))
}

/** A text that was changed, with where each unit of it begins in the original. */
export interface Mapped {
  readonly text: string
  readonly origins: readonly number[]
}

/** Resolves escapes in place; undefined where there are few. */
export const withoutEscapes = (text: string, origins?: readonly number[]): Mapped | undefined => {
  if (!HAS_ESCAPE.test(text)) return undefined
  const originOf = (index: number): number => origins?.[index] ?? index
  const units: string[] = []
  const starts: number[] = []
  let from = 0
  let count = 0
  const copy = (to: number): void => {
    units.push(text.slice(from, to))
    for (let index = from; index < to; index += 1) starts.push(originOf(index))
  }
  for (const { 0: written, index } of text.matchAll(ESCAPE)) {
    const value = decoded(written)
    copy(index)
    units.push(value)
    for (let unit = 0; unit < value.length; unit += 1) starts.push(originOf(index))
    from = index + written.length
    if (value !== written) count += 1
  }
  if (count < 2) return undefined
  copy(text.length)
  starts.push(originOf(text.length))
  return { text: units.join(''), origins: starts }
}

/** The words of a changed text, with their places in the original. */
export const mappedTokens = ({ text, origins }: Mapped): Token[] =>
  tokensOf(text).map(token => ({
    ...token,
    start: origins[token.start] ?? token.start,
    end: origins[token.end] ?? token.end,
  }))
