import { readJsonString, writeJson } from '../long-json.ts'
import type { LONG_STEP, Steps } from '../loop-turns.ts'
import { endOfString } from '../raw-json.ts'

/** A string value of a JSON text: the name of the member that it belongs to, and where its quotes stand. */
interface JsonString {
  readonly key: string
  /** Of the opening quote. */
  readonly start: number
  /** After the closing one. */
  readonly end: number
}

const PORTION = 65_536
const IS_NAME = /\s*:/y

/** The string values of a valid JSON text, in order, in portions between which other work can run. */
function* stringsIn(json: string): Generator<JsonString | typeof LONG_STEP | undefined, void> {
  const outer: string[] = []
  let key = ''
  let yieldsAt = PORTION
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '{' || character === '[') outer.push(key)
    else if (character === '}' || character === ']') key = outer.pop() ?? ''
    else if (character === '"') {
      const closing = endOfString(json, at + 1)
      if (closing === -1) return
      IS_NAME.lastIndex = closing + 1
      if (IS_NAME.test(json)) key = yield* textOf(json, { start: at, end: closing + 1 })
      else yield { key, start: at, end: closing + 1 }
      at = closing
    }
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield undefined
  }
}

export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What a string says, its escapes decoded, in portions. */
const textOf = (json: string, { start, end }: Pick<JsonString, 'start' | 'end'>) =>
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

/** The JSON text with other strings in place of some; everything else stays as it is written. */
export function* withStrings(
  json: string,
  changed: (text: string, key: string) => string | undefined,
): Steps<string> {
  let written = ''
  let from = 0
  for (const found of stringsIn(json)) {
    if (typeof found !== 'object') {
      yield found
      continue
    }
    const replacement = changed(yield* textOf(json, found), found.key)
    if (replacement === undefined) continue
    written += json.slice(from, found.start) + (yield* writeJson(replacement))
    from = found.end
  }
  return written + json.slice(from)
}
