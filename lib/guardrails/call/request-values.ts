import { readJsonString } from '../../long-json.ts'
import type { LONG_STEP, Steps } from '../../loop-turns.ts'
import { endOfContainer, endOfString } from '../../raw-json.ts'

/**
 * What a value of a request is to a model: text, the input of a tool, whose names and numbers are text too, or a string
 * that is not read as text, such as an id or a medium.
 */
export type ValueKind = 'text' | 'tool-input' | 'other'

/** A value of a JSON text, and where it stands, quotes and braces included. */
export type RequestValue = {
  kind: ValueKind
  readonly key: string
  readonly start: number
  readonly end: number
}

/** Objects that a model has written to a tool, and the values of a prompt that is stored at its vendor. */
const TOOL_INPUTS: ReadonlySet<string> = new Set(['input', 'arguments', 'action', 'operation', 'variables'])
/** The name of a text in an object whose type says that it is text; elsewhere it names a medium. */
const DATA = 'data'

const PORTION = 65_536
const NAME_END = /\s*:\s*/y
/** No name of a member or of a type that has a meaning is longer. */
const LONGEST_WORD = 64

/** An object or a list that is being read: the name that it has, its type and its data. */
interface Container {
  readonly key: string
  readonly isList: boolean
  type?: string
  readonly data: RequestValue[]
}

/** How the values of a member are read. */
export type Reading = Readonly<{
  /** Whether a string is text, by the name of its member. */
  isText: (key: string) => boolean
  hasToolInputs: boolean
}>

const NONE: readonly RequestValue[] = []

/** Reads the values of one JSON text, from one structural character to the next. */
class ValueReader {
  readonly #json: string
  readonly #reading: Reading
  readonly #outer: Container[] = []
  #key = ''
  /** Data whose objects have not said yet what they are: until they end no value that follows is given out. */
  #open = 0
  #held: RequestValue[] = []

  constructor(json: string, reading: Reading) {
    this.#json = json
    this.#reading = reading
  }

  begin(character: string): void {
    this.#outer.push({ key: this.#key, isList: character === '[', data: [] })
  }

  /** Ends an object or a list. Returns the values that are known with it, in order. */
  end(): readonly RequestValue[] {
    const { key = '', type, data = [] } = this.#outer.pop() ?? {}
    this.#key = key
    if (data.length === 0) return NONE
    for (const value of data) value.kind = type === 'text' ? 'text' : 'other'
    this.#open -= data.length
    if (this.#open > 0) return NONE
    const held = this.#held
    this.#held = []
    return held
  }

  /** Whether what begins at a position is an object that a model has written to a tool. */
  isToolInput(at: number): boolean {
    return this.#reading.hasToolInputs && this.#json[at] === '{' && TOOL_INPUTS.has(this.#key)
  }

  /** The position of the value that a string names; undefined where the string names none. */
  named(start: number, end: number): number | undefined {
    NAME_END.lastIndex = end
    if (!NAME_END.test(this.#json)) return undefined
    this.#key = this.#word(start, end)
    return NAME_END.lastIndex
  }

  string(start: number, end: number): RequestValue | undefined {
    const key = this.#key
    const kind: ValueKind = this.#reading.isText(key) ? 'text' : 'other'
    const container = this.#outer.at(-1)
    const object = container?.isList ? undefined : container
    if (object && key === 'type') object.type = this.#word(start, end)
    const value = { kind, key, start, end }
    if (object && key === DATA && kind === 'other') {
      object.data.push(value)
      this.#open += 1
    }
    return this.#known(value)
  }

  toolInput(start: number, end: number): RequestValue | undefined {
    return this.#known({ kind: 'tool-input', key: this.#key, start, end })
  }

  /** A short string; empty for a longer one. */
  #word(start: number, end: number): string {
    if (end - start > LONGEST_WORD) return ''
    const word = this.#json.slice(start, end)
    return word.includes('\\') ? JSON.parse(word) : word.slice(1, -1)
  }

  /** A value, unless it has to wait for what stands before it. */
  #known(value: RequestValue): RequestValue | undefined {
    if (this.#open === 0) return value
    this.#held.push(value)
    return undefined
  }
}

/** Values, and what `Steps` yield between portions of work. */
type Values = Generator<RequestValue | typeof LONG_STEP | undefined, void>

/** The strings and the inputs of tools of a valid JSON text, in order, in portions between which other work can run. */
export function* requestValues(json: string, reading: Reading): Values {
  const reader = new ValueReader(json, reading)
  let yieldsAt = PORTION
  for (let at = 0; at < json.length; at += 1) {
    const character = json.charAt(at)
    if (character === '"') {
      const closing = endOfString(json, at + 1)
      if (closing === -1) return
      const valueAt = reader.named(at, closing + 1)
      let known: RequestValue | undefined
      let end = valueAt ?? closing + 1
      if (valueAt === undefined) known = reader.string(at, end)
      else if (reader.isToolInput(valueAt)) {
        end = yield* endOfContainer(json, valueAt)
        known = reader.toolInput(valueAt, end)
      }
      if (known) yield known
      at = end - 1
    } else if (character === '{' || character === '[') reader.begin(character)
    else if (character === '}' || character === ']') yield* reader.end()
    if (at < yieldsAt) continue
    yieldsAt = at + PORTION
    yield undefined
  }
}

/** What a string says. */
export const textOfValue = (json: string, { start, end }: RequestValue): Steps<string> =>
  readJsonString(json.slice(start + 1, end - 1))
