import type { ReplyEvent } from '../../types.ts'
import { type Fields, fieldsOf, wordIn } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'

type Fragment = Extract<ReplyEvent, { type: 'tool-call-delta' }>

type Known = { index: number; key: unknown; id: string; isNamed: boolean; held: string }

/** OpenAI refuses longer ids when they come back. */
const LONGEST_ID = 40
const MOST_CALLS = 256

/**
 * The tool calls of one answer, in fragments. Vendors send the index, the id or the name late, never, or with every
 * fragment; here each call has an index that counts from 0, and its first fragment alone has the id and the name.
 */
export class ToolCallFragments {
  readonly #replyId: string
  readonly #calls: Known[] = []
  /** Whether a fragment had another form upstream than here. */
  isRepaired = false

  /** @param replyId for calls without an id */
  constructor(replyId: string) {
    this.#replyId = replyId
  }

  /** One upstream value of `tool_calls`. */
  read(value: unknown): Fragment[] {
    this.isRepaired = false
    if (value === undefined || value === null) return []
    if (!Array.isArray(value)) throw new MalformedResponse('tool_calls of an unknown type')
    return value.flatMap(one => {
      const fields = fieldsOf(one)
      if (!fields) throw new MalformedResponse('a tool call of an unknown type')
      return this.#readOne(fields)
    })
  }

  #readOne(fields: Fields): Fragment[] {
    const custom = fieldsOf(fields.custom)
    const called = custom ?? fieldsOf(fields.function) ?? {}
    const name = wordIn(called.name)
    const id = wordIn(fields.id)
    const { call, isNew } = this.#callFor(fields.index, id)
    call.held += argumentsIn(custom ? custom.input : called.arguments)
    if (call.isNamed && (name !== undefined || (id !== undefined && !isNew))) this.isRepaired = true
    if (!call.isNamed && name === undefined) {
      this.isRepaired = true
      return []
    }
    const isFirst = !call.isNamed
    if (isFirst && (!isNew || id !== call.id)) this.isRepaired = true
    if (call.index !== fields.index) this.isRepaired = true
    call.isNamed = true
    const text = call.held
    call.held = ''
    return [
      {
        type: 'tool-call-delta',
        index: call.index,
        ...(isFirst && name !== undefined && { id: call.id, name }),
        arguments: text,
        ...(isFirst && custom && { isCustom: true as const }),
      },
    ]
  }

  /** By its index; without one, by its id, or else the last one. */
  #callFor(key: unknown, id: string | undefined): { call: Known; isNew: boolean } {
    const known =
      typeof key === 'number'
        ? this.#calls.find(call => call.key === key)
        : id === undefined
          ? this.#calls.at(-1)
          : this.#calls.find(call => call.id === id.slice(0, LONGEST_ID))
    if (known) return { call: known, isNew: false }
    const index = this.#calls.length
    if (index === MOST_CALLS) throw new MalformedResponse('too many tool calls')
    const call = { index, key, id: id?.slice(0, LONGEST_ID) ?? this.#newId(index), isNamed: false, held: '' }
    this.#calls.push(call)
    return { call, isNew: true }
  }

  #newId(index: number): string {
    return `call_${this.#replyId.replaceAll('-', '').slice(0, LONGEST_ID - 'call_000'.length)}${index}`
  }
}

/** Arguments as text: some vendors send them as an object. */
const argumentsIn = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
