import { readJsonString } from '../../long-json.ts'
import type { LONG_STEP, Steps } from '../../loop-turns.ts'
import { endOfString } from '../../raw-json.ts'

/**
 * What a value of a request is to a model: text, the input of a tool, whose names and numbers are text too, or a string
 * that is not read as text, such as an id or a medium.
 */
export type ValueKind = 'text' | 'tool-input' | 'other'

/** A value of a JSON text, and where it stands, quotes and braces included. */
export type RequestValue = Readonly<{ kind: ValueKind; key: string; start: number; end: number }>

/** Objects that a model has written to a tool, and the values of a prompt that is stored at its vendor. */
const TOOL_INPUTS: ReadonlySet<string> = new Set(['input', 'arguments', 'action', 'operation', 'variables'])
/** Of an object whose type says that it is text; elsewhere it is a medium. */
const DATA = 'data'

const PORTION = 65_536
const NAME_END = /\s*:\s*/y

type Scan<T> = Generator<typeof LONG_STEP | undefined, T>

/** The position after the object that begins at `from`. */
function* endOfObject(json: string, from: number): Scan<number> {
  let depth = 0
  let yieldsAt = from + PORTION
  for (let at = from; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') {
      const closing = endOfString(json, at + 1)
      if (closing === -1) break
      at = closing
    } else if (character === '{') depth += 1
    else if (character === '}') {
      depth -= 1
      if (depth === 0) return at + 1
    }
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield undefined
  }
  return json.length
}

/** An object or a list that is being read: the name that it has, its type and its data. */
interface Container {
  readonly key: string
  readonly isList: boolean
  type?: string
  data?: RequestValue
}

/** How the values of a member are read. */
export type Reading = Readonly<{
  /** Whether a string is text, by the name of its member. */
  isText: (key: string) => boolean
  hasToolInputs: boolean
}>

/** Reads the values of one JSON text. */
class ValueReader {
  readonly values: RequestValue[] = []
  readonly #json: string
  readonly #reading: Reading
  readonly #outer: Container[] = []
  #key = ''

  constructor(json: string, reading: Reading) {
    this.#json = json
    this.#reading = reading
  }

  /** Reads what begins at a position. Returns the position of its last character. */
  *read(at: number): Scan<number> {
    const character = this.#json[at]
    if (character === '"') return yield* this.#string(at)
    if (character === '{' || character === '[')
      this.#outer.push({ key: this.#key, isList: character === '[' })
    else if (character === '}' || character === ']') this.#close()
    return at
  }

  #close(): void {
    const { key = '', type, data } = this.#outer.pop() ?? {}
    this.#key = key
    if (data) this.values.push({ ...data, kind: type === 'text' ? 'text' : 'other' })
  }

  *#string(start: number): Scan<number> {
    const json = this.#json
    const closing = endOfString(json, start + 1)
    if (closing === -1) return json.length
    NAME_END.lastIndex = closing + 1
    if (!NAME_END.test(json)) {
      this.#value(start, closing + 1)
      return closing
    }
    const valueStart = NAME_END.lastIndex
    this.#key = yield* readJsonString(json.slice(start + 1, closing))
    const isInput = json[valueStart] === '{' && TOOL_INPUTS.has(this.#key)
    if (!isInput || !this.#reading.hasToolInputs) return valueStart - 1
    const end = yield* endOfObject(json, valueStart)
    this.values.push({ kind: 'tool-input', key: this.#key, start: valueStart, end })
    return end - 1
  }

  #value(start: number, end: number): void {
    const key = this.#key
    const kind: ValueKind = this.#reading.isText(key) ? 'text' : 'other'
    const container = this.#outer.at(-1)
    const object = container?.isList ? undefined : container
    if (object && key === 'type') object.type = this.#json.slice(start + 1, end - 1)
    if (object && key === DATA && kind === 'other') object.data = { kind, key, start, end }
    else this.values.push({ kind, key, start, end })
  }
}

/** The strings and the inputs of tools of a valid JSON text, in order, in portions between which other work can run. */
export function* requestValues(json: string, reading: Reading): Steps<readonly RequestValue[]> {
  const reader = new ValueReader(json, reading)
  let yieldsAt = PORTION
  for (let at = 0; at < json.length; at += 1) {
    at = yield* reader.read(at)
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield
  }
  return reader.values.toSorted((one, other) => one.start - other.start)
}

/** What a string says. */
export const textOfValue = (json: string, { start, end }: RequestValue): Steps<string> =>
  readJsonString(json.slice(start + 1, end - 1))
