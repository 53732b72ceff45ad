import { shortToolCallId } from '../../openai-tool-call.ts'
import type { ReplyEvent } from '../../types.ts'
import { type Fields, fieldsOf, parseObject, wordIn } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'

type Fragment = Extract<ReplyEvent, { type: 'tool-call-delta' }>

type Known = {
  readonly index: number
  /** The upstream's index. */
  readonly key: unknown
  /** The upstream's id. */
  readonly sentId: string | undefined
  readonly id: string
  name: string | undefined
  /** Its arguments so far. */
  text: string
  /** Arguments that are held back until its name is known. */
  held: string
}

/** One upstream value of a tool call, read. */
type Sent = Readonly<{
  key: unknown
  id: string | undefined
  name: string | undefined
  arguments: string
  isCustom: boolean
  extraContent: unknown
  /** Another call stands before it in the same list. */
  isFollowing: boolean
}>

const LONGEST_ID = 40
const MOST_CALLS = 256

/** Arguments as text: some vendors send them as an object. */
const argumentsIn = (value: unknown): string => {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const calledIn = (fields: Fields): Readonly<{ name: unknown; input: unknown; isCustom: boolean }> => {
  const custom = fieldsOf(fields.custom)
  if (custom) return { name: custom.name, input: custom.input, isCustom: true }
  const called = fieldsOf(fields.function)
  return { name: called?.name, input: called?.arguments, isCustom: false }
}

const isWhole = (json: string): boolean => json.trimEnd().endsWith('}') && parseObject(json) !== undefined

/**
 * Whether a fragment begins another call than the known one that its index or its place points to. Some vendors give
 * all calls the index 0, and tell them apart by their ids, or only by their names.
 */
const isAnother = (known: Known, { id, name, arguments: text }: Sent): boolean => {
  if (name === undefined || known.name === undefined) return false
  if (id !== undefined && known.sentId !== undefined) return id !== known.sentId
  return name !== known.name || (text !== '' && isWhole(known.text))
}

/** Whether a whole answer's tool calls came in OpenAI's form, of which `read` is what was understood. */
export const areWellFormed = (value: unknown, read: readonly ReplyEvent[]): boolean => {
  const calls = read.filter(event => event.type === 'tool-call-delta')
  if (!Array.isArray(value)) return calls.length === 0
  return (
    value.length === calls.length &&
    value.every((one, at) => {
      const fields = fieldsOf(one)
      return fields?.id === calls[at]?.id && typeof calledIn(fields ?? {}).input === 'string'
    })
  )
}

/**
 * The tool calls of one answer, in fragments. Vendors send the index, the id or the name late, never, with every
 * fragment, or the same index for all calls; here each call has an index that counts from 0, and its first fragment
 * alone has the id and the name.
 */
export class ToolCallFragments {
  readonly #replyId: string
  readonly #isWhole: boolean
  readonly #calls: Known[] = []
  /** Whether a fragment had another form upstream than here. */
  isRepaired = false

  /**
   * @param replyId for calls without an id of their own
   * @param isWhole whether each value is a whole call
   */
  constructor(replyId: string, { isWhole = false } = {}) {
    this.#replyId = replyId
    this.#isWhole = isWhole
  }

  /** One upstream value of `tool_calls`. */
  read(value: unknown): Fragment[] {
    this.isRepaired = false
    if (value === undefined || value === null) return []
    if (!Array.isArray(value)) throw new MalformedResponse('tool_calls of an unknown type')
    return value.flatMap((one, at) => {
      const fields = fieldsOf(one)
      if (!fields) throw new MalformedResponse('a tool call of an unknown type')
      const { name, input, isCustom } = calledIn(fields)
      if (typeof input === 'object' && input !== null) this.isRepaired = true
      return this.#readOne({
        key: fields.index,
        id: wordIn(fields.id),
        name: wordIn(name),
        arguments: argumentsIn(input),
        isCustom,
        extraContent: fields.extra_content,
        isFollowing: at > 0,
      })
    })
  }

  #readOne(sent: Sent): Fragment[] {
    const { name, id, isCustom, extraContent } = sent
    const known = this.#isWhole ? undefined : this.#known(sent)
    const call = known ?? this.#add(sent)
    const isFirst = call.name === undefined
    call.text += sent.arguments
    call.held += sent.arguments
    if (isFirst) this.isRepaired ||= name === undefined || known !== undefined || id !== call.id
    else this.isRepaired ||= name !== undefined || id !== undefined
    this.isRepaired ||= call.index !== sent.key
    call.name ??= name
    if (call.name === undefined) return []
    const text = call.held
    call.held = ''
    return [
      {
        type: 'tool-call-delta',
        index: call.index,
        ...(isFirst && { id: call.id, name: call.name }),
        arguments: text,
        ...(isFirst && isCustom && { isCustom: true as const }),
        ...(extraContent !== undefined && { extraContent }),
      },
    ]
  }

  /** The call that a fragment continues: by its index; without one, by its id, or else the last one. */
  #known(sent: Sent): Known | undefined {
    const { key, id, isFollowing } = sent
    if (typeof key !== 'number' && id !== undefined) return this.#calls.find(call => call.sentId === id)
    if (typeof key !== 'number' && isFollowing) return undefined
    const known = typeof key === 'number' ? this.#of(key, id) : this.#calls.at(-1)
    return known && !isAnother(known, sent) ? known : undefined
  }

  /** The call with an index: of several calls the one with that id, or else the last one. */
  #of(key: number, id: string | undefined): Known | undefined {
    const calls = this.#calls.filter(call => call.key === key)
    return calls.find(call => id !== undefined && call.sentId === id) ?? calls.at(-1)
  }

  #add({ key, id }: Sent): Known {
    const index = this.#calls.length
    if (index === MOST_CALLS) throw new MalformedResponse('too many tool calls')
    const isTaken = id === undefined || this.#calls.some(call => call.sentId === id)
    const ownId = isTaken ? this.#newId(index) : shortToolCallId(id)
    const call = { index, key, sentId: id, id: ownId, name: undefined, text: '', held: '' }
    this.#calls.push(call)
    return call
  }

  #newId(index: number): string {
    return `call_${this.#replyId.replaceAll('-', '').slice(0, LONGEST_ID - 'call_000'.length)}${index}`
  }
}
