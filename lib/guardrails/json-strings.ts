import { readJsonString, writeJson } from '../long-json.ts'
import type { LONG_STEP, Steps } from '../loop-turns.ts'
import { endOfString } from '../raw-json.ts'

/** What a token of a JSON text is: a string value, a number, or the name of a member. */
export type TokenKind = 'text' | 'number' | 'name'

/** A token of a JSON text, where it stands, and the name of the member that it belongs to. */
interface Token {
  readonly kind: TokenKind
  readonly key: string
  /** The index of the first character; of a string, that of the opening quote. */
  readonly start: number
  /** The index after the last character. */
  readonly end: number
}

const PORTION = 65_536
const IS_NAME = /\s*:/y
const NUMBER = /-?\d[\d.eE+-]*/y

const endOfNumber = (json: string, start: number): number | undefined => {
  NUMBER.lastIndex = start
  return NUMBER.test(json) ? NUMBER.lastIndex : undefined
}

type Tokens = Generator<Token | typeof LONG_STEP | undefined, void>

/** The tokens of a valid JSON text, in order, in portions between which other work can run. */
function* tokensIn(json: string, isWanted: (kind: TokenKind) => boolean): Tokens {
  const outer: string[] = []
  const [wantsNames, wantsNumbers] = [isWanted('name'), isWanted('number')]
  let key = ''
  let yieldsAt = PORTION
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charAt(at)
    if (character === '{' || character === '[') outer.push(key)
    else if (character === '}' || character === ']') key = outer.pop() ?? ''
    else if (character === '"') {
      const closing = endOfString(json, at + 1)
      if (closing === -1) return
      const place = { start: at, end: closing + 1 }
      IS_NAME.lastIndex = closing + 1
      const isName = IS_NAME.test(json)
      if (isName) key = yield* textOf(json, place)
      if (!isName || wantsNames) yield { kind: isName ? 'name' : 'text', key, ...place }
      at = closing
    } else if (wantsNumbers) {
      const end = endOfNumber(json, at)
      if (end !== undefined) yield { kind: 'number', key, start: at, end }
      at = (end ?? at + 1) - 1
    }
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield undefined
  }
}

const stringsIn = (json: string): Tokens => tokensIn(json, kind => kind === 'text')

export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What a string says, its escapes decoded, in portions. */
const textOf = (json: string, { start, end }: Pick<Token, 'start' | 'end'>) =>
  readJsonString(json.slice(start + 1, end - 1))

/** What those strings say whose names are wanted, in order. */
export function* textsIn(json: string, isWanted: (key: string) => boolean): Steps<readonly string[]> {
  const texts: string[] = []
  for (const found of stringsIn(json)) {
    if (typeof found !== 'object') yield found
    else if (isWanted(found.key)) texts.push(yield* textOf(json, found))
  }
  return texts
}

/** What a token says: a number as it is written. */
function* valueOfToken(json: string, token: Token): Steps<string> {
  return token.kind === 'number' ? json.slice(token.start, token.end) : yield* textOf(json, token)
}

/** The strings, the numbers and the names of members of a JSON text, each once. */
export type JsonValues = Readonly<Record<TokenKind, ReadonlySet<string>>>

export function* valuesIn(json: string): Steps<JsonValues> {
  const values = { text: new Set<string>(), number: new Set<string>(), name: new Set<string>() }
  for (const found of tokensIn(json, () => true)) {
    if (typeof found !== 'object') yield found
    else values[found.kind].add(yield* valueOfToken(json, found))
  }
  return values
}

function* rewritten(
  json: string,
  tokens: Tokens,
  changed: (value: string, token: Token) => string | undefined,
): Steps<string> {
  let written = ''
  let from = 0
  for (const found of tokens) {
    if (typeof found !== 'object') {
      yield found
      continue
    }
    const replacement = changed(yield* valueOfToken(json, found), found)
    if (replacement === undefined) continue
    written += json.slice(from, found.start) + (yield* writeJson(replacement))
    from = found.end
  }
  return written + json.slice(from)
}

/** The JSON text with other strings in place of some; everything else stays as it is written. */
export const withStrings = (
  json: string,
  changed: (text: string, key: string) => string | undefined,
): Steps<string> => rewritten(json, stringsIn(json), (text, { key }) => changed(text, key))

/** The JSON text with strings in place of some of its strings and numbers. */
export const withValues = (
  json: string,
  changed: (value: string, kind: TokenKind) => string | undefined,
): Steps<string> =>
  rewritten(
    json,
    tokensIn(json, kind => kind !== 'name'),
    (value, { kind }) => changed(value, kind),
  )
