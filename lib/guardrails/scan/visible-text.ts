/** More invisible characters in a row than these are kept: so that what is held back stays bounded. */
export const MOST_INVISIBLE = 16

const NEEDS_FOLDING = /[\\\u00a0\u00ad\u0378-\uffff]/
const DROPPED = -1

/** Whether a code unit stands for itself. False for the `NaN` after a text's end. */
const isPlain = (code: number): boolean => code < 0xa0 && code !== BACKSLASH

/** Digits of other scripts that come in a block of ten, by the code unit of their zero. */
const DIGIT_BLOCKS = [0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0be6, 0x0e50, 0x0ed0]

const isInvisible = (code: number): boolean =>
  code === 0xad ||
  code === 0x61c ||
  code === 0x180e ||
  (code >= 0x200b && code <= 0x200f) ||
  (code >= 0x202a && code <= 0x202e) ||
  (code >= 0x2060 && code <= 0x206f) ||
  (code >= 0xfe00 && code <= 0xfe0f) ||
  code === 0xfeff

const isSpaceLike = (code: number): boolean =>
  code === 0xa0 || (code >= 0x2000 && code <= 0x200a) || code === 0x202f || code === 0x205f || code === 0x3000

const isDashLike = (code: number): boolean =>
  (code >= 0x2010 && code <= 0x2015) || code === 0x2212 || code === 0xfe58 || code === 0xfe63

/** What a detector sees in place of a code unit: itself, an ASCII character, or nothing. */
const foldUnit = (code: number): number => {
  if (code < 0x80) return code
  if (isInvisible(code)) return DROPPED
  if (isSpaceLike(code)) return 32
  if (isDashLike(code)) return 45
  if (code >= 0xff01 && code <= 0xff5e) return code - 0xfee0
  const block =
    code >= 0x0660 && code <= 0x0ed9 ? DIGIT_BLOCKS.find(zero => code >= zero && code < zero + 10) : undefined
  return block === undefined ? code : 48 + code - block
}

/** The same for a surrogate pair, by its second half: mathematical digits and tag characters. */
const foldPair = (high: number, low: number): number | undefined => {
  if (!isLowSurrogate(low)) return undefined
  if (high === 0xd835 && low >= 0xdfce && low <= 0xdfff) return 48 + ((low - 0xdfce) % 10)
  if (high === 0xdb40) return DROPPED
  return undefined
}

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code <= 0xdbff
const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff

/**
 * An escape of JSON, of a text within a text too: `\n`, `\\n`, `\u0034`. Where a text is no JSON, little is lost by it:
 * what looks like an escape counts as the character for which it stands.
 */
const ESCAPE = /\\{1,8}(?:(["/bfnrt])|u([\da-fA-F]{4}))/y
const BACKSLASH = 92
const ESCAPED: Readonly<Record<string, number>> = { '"': 34, '/': 47, b: 8, f: 12, n: 10, r: 13, t: 9 }

const escapeAt = (text: string, index: number): RegExpExecArray | undefined => {
  if (text.charCodeAt(index) !== BACKSLASH) return undefined
  ESCAPE.lastIndex = index
  return ESCAPE.exec(text) ?? undefined
}

/** A code unit as it is written: by an escape, where there is one, or as it is. */
interface Unit {
  readonly code: number
  /** After it. */
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
    if (!this.#origins && !NEEDS_FOLDING.test(text)) {
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
      const from = index
      for (; isPlain(text.charCodeAt(index)); index += 1) origins.push(base + index)
      if (index > from) {
        units.push(text.slice(from, index))
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
  if (!NEEDS_FOLDING.test(text)) return text
  const folded = new VisibleText()
  folded.append(text)
  folded.finish()
  return folded.view
}
