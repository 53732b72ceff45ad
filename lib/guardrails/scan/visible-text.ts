/** More invisible characters in a row than these are kept: so that what is held back stays bounded. */
export const MOST_INVISIBLE = 16

const DROPPED = -1
const BACKSLASH = 92
/** The first halves of the pairs that `foldPair` changes. */
const MATHEMATICAL = 0xd835
const TAGS = 0xdb40

type Range = readonly [first: number, last: number]

const INVISIBLE: readonly Range[] = [
  [0xad, 0xad],
  [0x61c, 0x61c],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
]
const SPACES: readonly Range[] = [
  [0xa0, 0xa0],
  [0x2000, 0x200a],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
]
const DASHES: readonly Range[] = [
  [0x2010, 0x2015],
  [0x2212, 0x2212],
  [0xfe58, 0xfe58],
  [0xfe63, 0xfe63],
]
const FULL_WIDTH: Range = [0xff01, 0xff5e]
/** Digits of other scripts that come in a block of ten, by the code unit of their zero. */
const ZEROS = [0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0e50, 0x0ed0]

const FOLDED = new Map<number, number>()
const fold = ([first, last]: Range, to: (code: number) => number): void => {
  for (let code = first; code <= last; code += 1) FOLDED.set(code, to(code))
}
for (const range of INVISIBLE) fold(range, () => DROPPED)
for (const range of SPACES) fold(range, () => 32)
for (const range of DASHES) fold(range, () => 45)
fold(FULL_WIDTH, code => code - 0xfee0)
for (const zero of ZEROS) fold([zero, zero + 9], code => 48 + code - zero)

/** What a detector sees in place of a code unit: itself, an ASCII character, or nothing. */
const foldUnit = (code: number): number => FOLDED.get(code) ?? code

/** For each code unit 1 where it may stand for another one, or for nothing, alone or with those after it; else 0. */
const IS_SPECIAL = new Uint8Array(0x10000)
for (const code of [...FOLDED.keys(), BACKSLASH, MATHEMATICAL, TAGS]) IS_SPECIAL[code] = 1

/** The index of the first special code unit from an index on; the text's length where there is none. */
const endOfPlain = (text: string, from: number): number => {
  let at = from
  while (at < text.length && IS_SPECIAL[text.charCodeAt(at)] === 0) at += 1
  return at
}
const isPlain = (text: string): boolean => endOfPlain(text, 0) === text.length

/** What a detector sees in place of a pair: a mathematical digit or a tag character; undefined for others. */
const foldPair = (high: number, low: number): number | undefined => {
  if (!isLowSurrogate(low)) return undefined
  if (high === MATHEMATICAL && low >= 0xdfce && low <= 0xdfff) return 48 + ((low - 0xdfce) % 10)
  if (high === TAGS) return DROPPED
  return undefined
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/**
 * An escape of JSON, of a text within a text too: `\n`, `\\n`, `\u0034`. Where a text is no JSON, little is lost by it:
 * what looks like an escape counts as the character for which it stands.
 */
const ESCAPE = /\\{1,8}(?:(["/bfnrt])|u([\da-fA-F]{4}))/y
const ESCAPED: Readonly<Record<string, number>> = { '"': 34, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }

const escapeAt = (text: string, index: number): RegExpExecArray | undefined => {
  if (text.charCodeAt(index) !== BACKSLASH) return undefined
  ESCAPE.lastIndex = index
  return ESCAPE.exec(text) ?? undefined
}

/** A code unit as it is written: by an escape, where there is one, or as it is. */
interface Unit {
  readonly code: number
  /** The index after it. */
  readonly end: number
}

const unitAt = (text: string, index: number): Unit => {
  const [written, letter, hex] = escapeAt(text, index) ?? []
  if (written === undefined) return { code: text.charCodeAt(index), end: index + 1 }
  const code = hex === undefined ? (ESCAPED[letter ?? ''] ?? 0) : Number.parseInt(hex, 16)
  return { code, end: index + written.length }
}

/** What may go on in what comes next: a part of an escape, and the first half of a pair. */
const OPEN_END = /(?:[\ud800-\udbff]|\\{1,8}u[dD][89abAB][\da-fA-F]{2})?(?:\\{1,8}(?:u[\da-fA-F]{0,3})?)?$/
const LONGEST_OPEN_END = 26

const openEndOf = (text: string): number =>
  text.includes('\\') || isHighSurrogate(text.charCodeAt(text.length - 1))
    ? (OPEN_END.exec(text.slice(-LONGEST_OPEN_END))?.[0].length ?? 0)
    : 0

/**
 * A text that grows at its end and is taken away at its start, as detectors see it: invisible and bidirectional
 * characters left out, escapes resolved, full-width and other digits, spaces and dashes as ASCII, with the way back to the
 * original.
 */
export class VisibleText {
  /** What detectors look at. */
  view = ''
  #original = ''
  /** For each unit of the view where it begins in the original; absent while both are the same. */
  #origins: number[] | undefined
  /** Invisible characters at the end. */
  #invisible = 0
  /** The first part of a pair or an escape whose rest has not come. */
  #open = ''

  append(chunk: string): void {
    const text = this.#open + chunk
    const end = text.length - openEndOf(text)
    this.#open = text.slice(end)
    this.#add(text.slice(0, end))
  }

  /** Adds a part of a pair or an escape that stays one. */
  finish(): void {
    this.#add(this.#open)
    this.#open = ''
  }

  /** Where a unit of the view begins in the original; for the end of the view, the end of the original. */
  originOf(index: number): number {
    if (index >= this.view.length) return this.#original.length
    return this.#origins?.[index] ?? index
  }

  /** Where the original of a unit of the view ends: invisible characters after it are not part of it. */
  endOf(index: number): number {
    const { code, end } = unitAt(this.#original, this.originOf(index))
    const isPair = isHighSurrogate(code) && !isHighSurrogate(this.view.charCodeAt(index))
    return isPair ? unitAt(this.#original, end).end : end
  }

  original(start: number, end: number): string {
    return this.#original.slice(start, end)
  }

  /** How much of the original is kept, what is open at its end included. */
  get length(): number {
    return this.#original.length + this.#open.length
  }

  /** Takes away what stands before a unit of the view. Returns how much of the original that was. */
  dropBefore(index: number): number {
    const origin = this.originOf(index)
    this.view = this.view.slice(index)
    this.#original = this.#original.slice(origin)
    if (this.#origins) {
      const kept = this.#origins.slice(index).map(at => at - origin)
      this.#origins = kept.length === this.#original.length ? undefined : kept
    }
    return origin
  }

  #add(text: string): void {
    if (text === '') return
    if (!this.#origins && isPlain(text)) {
      this.view += text
      this.#original += text
      this.#invisible = 0
      return
    }
    this.#fold(text)
    this.#original += text
  }

  #fold(text: string): void {
    const base = this.#original.length
    const origins = this.#origins ?? Array.from({ length: this.view.length }, (_, index) => index)
    const units: string[] = []
    for (let index = 0; index < text.length; ) {
      const plain = endOfPlain(text, index)
      if (plain > index) {
        units.push(text.slice(index, plain))
        for (; index < plain; index += 1) origins.push(base + index)
        this.#invisible = 0
        continue
      }
      const { code, end } = unitAt(text, index)
      const second = isHighSurrogate(code) ? unitAt(text, end) : undefined
      const pair = second && foldPair(code, second.code)
      const folded = pair ?? foldUnit(code)
      const isDropped = folded === DROPPED && this.#invisible < MOST_INVISIBLE
      this.#invisible = isDropped ? this.#invisible + 1 : 0
      if (!isDropped) {
        units.push(String.fromCharCode(folded === DROPPED ? code : folded))
        origins.push(base + index)
      }
      index = second && pair !== undefined ? second.end : end
    }
    this.view += units.join('')
    this.#origins = origins
  }
}

/** A whole text as detectors see it. */
export const visible = (text: string): string => {
  if (isPlain(text)) return text
  const folded = new VisibleText()
  folded.append(text)
  folded.finish()
  return folded.view
}
