import { membersOf, objectOf, withElements, withMember } from '../../../raw-json.ts'
import { toolCallBody, toolCallDelta } from '../../openai-tool-call.ts'
import type { ReplyEvent } from '../../types.ts'
import { type Fields, fieldsOf, listIn, wordIn } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'
import { areWellFormed, ToolCallFragments } from './tool-call-fragments.ts'

const bytesOf = (text: unknown): number => Buffer.byteLength(wordIn(text) ?? '')

/** UTF-8 bytes of a content, or of one of its parts. */
const contentBytes = (content: unknown): number =>
  Array.isArray(content)
    ? content.reduce<number>((bytes, part) => bytes + contentBytes(part), 0)
    : bytesOf(fieldsOf(content)?.text ?? content)

const callBytes = (call: Fields): number =>
  bytesOf(fieldsOf(call.function)?.arguments) + bytesOf(fieldsOf(call.custom)?.input)

/** UTF-8 bytes of what a message or a delta says: its answer, refusal, reasoning, and calls of tools. */
const messageBytes = (message: Fields): number =>
  contentBytes(message.content) +
  bytesOf(message.refusal) +
  bytesOf(wordIn(message.reasoning_content) ?? message.reasoning) +
  listIn(message.tool_calls).reduce((bytes, call) => bytes + callBytes(call), 0)

/**
 * UTF-8 bytes of the text of all choices but the one that is read. Never throws.
 *
 * @param repeats whether whole messages repeat what deltas have said
 */
export const otherTextBytes = (choices: unknown, read: Fields | undefined, repeats: boolean): number => {
  if (!Array.isArray(choices) || (choices.length === 1 && choices[0] === read)) return 0
  return listIn(choices).reduce((bytes, choice) => {
    const message = fieldsOf(choice.delta ?? (repeats ? undefined : choice.message))
    return choice === read || !message ? bytes : bytes + messageBytes(message)
  }, 0)
}

/** Tool calls in OpenAI's form that replace a choice's own, by the choice's place in its list. */
export type RepairedCalls = ReadonlyMap<number, readonly object[]>

/** The tool calls among what was read of a whole message, each in one fragment. */
const wholeCalls = (events: readonly ReplyEvent[]): readonly object[] =>
  events
    .filter(event => event.type === 'tool-call-delta')
    .map(({ id = '', name = '', ...others }) => toolCallBody({ id, name, ...others }))

/** A chunk's fragments of tool calls, as OpenAI's format has them. */
export const callFragments = (events: readonly ReplyEvent[]): readonly object[] =>
  events.filter(event => event.type === 'tool-call-delta').map(toolCallDelta)

/** A body's JSON with tool calls of its choices replaced, and everything else as it was written. */
export const withCalls = (json: string, member: 'message' | 'delta', repaired: RepairedCalls): string => {
  const withOwn = (calls: readonly object[]) => (message: string | undefined) =>
    withMember(message?.startsWith('{') ? message : '{}', 'tool_calls', () =>
      calls.length > 0 ? JSON.stringify(calls) : undefined,
    )
  const choice = (written: string, at: number): string => {
    const calls = repaired.get(at)
    return calls ? withMember(written, member, withOwn(calls)) : written
  }
  return withMember(json, 'choices', choices => choices && withElements(choices, choice))
}

const isReadable = (calls: unknown): boolean =>
  Array.isArray(calls) && calls.every(call => fieldsOf(call) !== undefined)

/** The choices of a whole answer whose tool calls came in another form than OpenAI's. */
export const repairedMessages = (choices: unknown, replyId: string): RepairedCalls => {
  const repaired = new Map<number, readonly object[]>()
  if (!Array.isArray(choices)) return repaired
  choices.forEach((choice, at) => {
    const calls = fieldsOf(fieldsOf(choice)?.message)?.tool_calls
    if (!isReadable(calls)) return
    const events = new ToolCallFragments(replyId, { isWhole: true }).read(calls)
    if (!areWellFormed(calls, events)) repaired.set(at, wholeCalls(events))
  })
  return repaired
}

/** OpenAI takes 128 for `n`. */
const MOST_CHOICES = 256
const HEAD: ReadonlySet<string> = new Set([
  'id',
  'object',
  'created',
  'model',
  'system_fingerprint',
  'service_tier',
])

/** The choices of a stream but the one that is read: whether they have ended, and their tool calls. */
export class OtherChoices {
  readonly #replyId: string
  readonly #calls = new Map<number, ToolCallFragments>()
  /** The indexes of those that have begun, and not ended. */
  readonly #open = new Set<number>()
  #last = ''

  /** @param replyId for tool calls without an id */
  constructor(replyId: string) {
    this.#replyId = replyId
  }

  /**
   * Reads a chunk's choices.
   *
   * @param read the choice that is read elsewhere
   * @param json the chunk as it was written
   */
  read(choices: unknown, read: Fields | undefined, json: string): RepairedCalls {
    const repaired = new Map<number, readonly object[]>()
    if (!Array.isArray(choices) || (choices.length === 1 && choices[0] === read)) return repaired
    choices.forEach((value, at) => {
      const choice = fieldsOf(value)
      if (!choice || choice === read || typeof choice.index !== 'number') return
      this.#last = json
      const own = this.#callsOf(choice.index)
      if (wordIn(choice.finish_reason) !== undefined) this.#open.delete(choice.index)
      const calls = fieldsOf(choice.delta)?.tool_calls
      if (!isReadable(calls)) return
      const events = own.read(calls)
      if (own.isRepaired) repaired.set(at, callFragments(events))
    })
    return repaired
  }

  /** Whether one has begun, and not ended. */
  get areOpen(): boolean {
    return this.#open.size > 0
  }

  /** Chunks that end those which have begun, and not ended. */
  ends(): readonly string[] {
    const head = membersOf(this.#last).filter(([name]) => HEAD.has(name))
    return [...this.#open].map(index => {
      const choice = { index, delta: {}, logprobs: null, finish_reason: 'stop' }
      return objectOf([...head, ['choices', JSON.stringify([choice])]])
    })
  }

  #callsOf(index: number): ToolCallFragments {
    const known = this.#calls.get(index)
    if (known) return known
    if (this.#calls.size === MOST_CHOICES) throw new MalformedResponse('too many choices')
    const calls = new ToolCallFragments(this.#replyId)
    this.#calls.set(index, calls)
    this.#open.add(index)
    return calls
  }
}
