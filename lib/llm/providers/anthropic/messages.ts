import { hash } from 'node:crypto'
import { GatewayError } from '../../../errors.ts'
import type { Steps } from '../../../loop-turns.ts'
import { changeElements, changeMember, isObject, memberIn, scanMembers } from '../../../raw-json.ts'
import {
  type Content,
  type ContentPart,
  type Message,
  type Reasoning,
  type ToolCall,
  textOf,
} from '../../message.ts'
import type { Call, RawRequest, Target } from '../../types.ts'
import { isClaude } from './models.ts'

type Assistant = Extract<Message, { role: 'assistant' }>

/** A content block of Anthropic's, or a message. */
type Block = Readonly<Record<string, unknown>>

const DATA_URL = /^data:([^;,]*)(?:;[^,]*)?;base64,/i
const PDF = 'application/pdf'
/** Documents that Anthropic takes as plain text. */
const TEXT = /^text\/|^application\/json$/
/** Other names of a type that Anthropic knows by one. */
const MEDIA_TYPES: ReadonlyMap<string, string> = new Map([['image/jpg', 'image/jpeg']])

const sourceOf = (url: string): Block => {
  const [prefix, written = ''] = DATA_URL.exec(url) ?? []
  if (prefix === undefined) return { type: 'url', url }
  const mediaType = written.toLowerCase()
  const data = url.slice(prefix.length)
  if (TEXT.test(mediaType))
    return { type: 'text', media_type: 'text/plain', data: Buffer.from(data, 'base64').toString() }
  return { type: 'base64', media_type: MEDIA_TYPES.get(mediaType) ?? (mediaType || PDF), data }
}

/** A breakpoint of Anthropic's prompt cache, as a member of a block or a tool. */
export const cacheControlFor = (cacheControl: unknown): Block =>
  cacheControl === undefined ? {} : { cache_control: cacheControl }

const refused = (what: string): never => {
  throw new GatewayError('INVALID_INPUT', `This model takes no content of type ${what}.`)
}

const translated = (part: ContentPart): Block => {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...cacheControlFor(part.cacheControl) }
    case 'image':
      return { type: 'image', source: sourceOf(part.url), ...cacheControlFor(part.cacheControl) }
    case 'file': {
      const source = part.url === undefined ? { type: 'file', file_id: part.id } : sourceOf(part.url)
      const title = part.name === undefined ? {} : { title: part.name }
      return { type: 'document', source, ...title, ...cacheControlFor(part.cacheControl) }
    }
    case 'audio':
      return refused('audio')
    case 'other':
      return refused(part.name)
  }
}

/** A part as a block: the client's own one where it is of this format, which says what comes after it too. */
const blockFor = (part: ContentPart): readonly Block[] => {
  const block = 'block' in part ? part.block : undefined
  if (block === 'continued') return []
  return [block ?? translated(part)]
}

const REFUSED_IN_IDS = /[^\w-]/g
const LONGEST_HASH = 16

/** An id of a tool call that Anthropic takes: other vendors' have dots and colons, as in `functions.weather:0`. */
const toolUseId = (id: string): string => {
  const plainId = id.replace(REFUSED_IN_IDS, '_')
  return plainId === id ? id : `${plainId}_${hash('sha256', id).slice(0, LONGEST_HASH)}`
}

/** Anthropic refuses text of white space alone. */
export const isBlank = (text: string): boolean => text.trim() === ''

const isFilled = (part: ContentPart): boolean =>
  part.type !== 'text' || part.block !== undefined || !isBlank(part.text)

const blocksFor = (content: Content): readonly Block[] => {
  if (typeof content !== 'string') return content.filter(isFilled).flatMap(blockFor)
  return isBlank(content) ? [] : [{ type: 'text', text: content }]
}

/** Anthropic's inputs are objects. A model's arguments may be anything, and be cut off: they stay readable in one. */
const inputOf = ({ isCustom, arguments: written }: ToolCall): object => {
  if (isCustom) return { input: written }
  if (written.trim() === '') return {}
  try {
    const input: unknown = JSON.parse(written)
    return isObject(input) ? input : { input }
  } catch {
    return { input: written }
  }
}

/** Reasoning as it came. Such as has no signature is another vendor's. */
const thinkingBlocks = ({ text, signature, redacted }: Reasoning): readonly Block[] => {
  if (redacted !== undefined) return [{ type: 'redacted_thinking', data: redacted }]
  return signature === undefined ? [] : [{ type: 'thinking', thinking: text, signature }]
}

const toolUse = (call: ToolCall): Block => ({
  type: 'tool_use',
  id: toolUseId(call.id),
  name: call.name,
  input: inputOf(call),
  ...cacheControlFor(call.cacheControl),
})

const eachPart = (content: Content): readonly (readonly Block[])[] => {
  if (typeof content !== 'string') return content.map(part => blocksFor([part]))
  return content === '' ? [] : [blocksFor(content)]
}

/** Blocks of reasoning by their place; the last block of a message is never one of them. */
const thinkingPlaces = (
  reasoning: readonly Reasoning[],
  last: number,
): ReadonlyMap<number, readonly Block[]> => {
  const places = new Map<number, Block[]>()
  for (const one of reasoning) {
    const at = Math.min(one.after ?? 0, last)
    const blocks = places.get(at) ?? []
    blocks.push(...thinkingBlocks(one))
    places.set(at, blocks)
  }
  return places
}

/** What an assistant said and called, with its reasoning in the place where it was: its vendor wants it back there. */
const assistantBlocks = (message: Assistant): readonly Block[] => {
  const { content, refusal = '', toolCalls = [], reasoning = [] } = message
  const parts = eachPart(content)
  const others = [...parts, ...toolCalls.map(call => [toolUse(call)])]
  const places = thinkingPlaces(reasoning, Math.max(0, others.length - 1))
  const thinkingAt = (at: number): readonly Block[] => places.get(at) ?? []
  return [
    ...(others.length === 0 ? thinkingAt(0) : []),
    ...parts.flatMap((blocks, at) => [...thinkingAt(at), ...blocks]),
    ...blocksFor(refusal),
    ...others.slice(parts.length).flatMap((blocks, at) => [...thinkingAt(parts.length + at), ...blocks]),
  ]
}

const toolResult = ({ toolCallId, content, cacheControl }: Extract<Message, { role: 'tool' }>): Block => ({
  type: 'tool_result',
  tool_use_id: toolUseId(toolCallId),
  content: typeof content === 'string' ? content : blocksFor(content),
  ...cacheControlFor(cacheControl),
})

/** Text alone stays text: the usual request is then the same as a client of Anthropic's would send. */
const plain = (blocks: readonly Block[]): string | readonly Block[] => {
  const [only] = blocks
  const isPlain = blocks.length === 1 && only?.type === 'text' && only.cache_control === undefined
  return isPlain && typeof only.text === 'string' ? only.text : blocks
}

const isInstruction = ({ role }: Message): boolean => role === 'system' || role === 'developer'

const hasCacheControl = ({ content }: Message): boolean =>
  typeof content !== 'string' && content.some(part => 'cacheControl' in part)

/**
 * The instructions of a conversation, which Anthropic takes apart from it; undefined where there are none. Blocks where
 * one of them has a breakpoint of the prompt cache, else one text.
 */
export const systemFor = (messages: readonly Message[]): string | readonly Block[] | undefined => {
  const instructions = messages.filter(isInstruction)
  if (instructions.some(hasCacheControl)) {
    const blocks = instructions
      .flatMap(({ content }) => blocksFor(content))
      .filter(({ type }) => type === 'text')
    return blocks.length > 0 ? blocks : undefined
  }
  const text = instructions.map(({ content }) => textOf(content)).join('\n\n')
  return isBlank(text) ? undefined : text
}

/** In place of a user's message without content, which Anthropic refuses. */
const EMPTY = '(empty message)'
/** In place of a conversation of instructions alone. */
const NO_MESSAGE = '(no message)'

/** A conversation without its instructions. The results of tools are a user's message, all of one turn together. */
export const conversationOf = (messages: readonly Message[]): readonly Block[] => {
  const found: Block[] = []
  let results: Block[] | undefined
  for (const message of messages) {
    if (isInstruction(message)) continue
    if (message.role === 'tool') {
      if (!results) {
        results = []
        found.push({ role: 'user', content: results })
      }
      results.push(toolResult(message))
      continue
    }
    const blocks = message.role === 'assistant' ? assistantBlocks(message) : blocksFor(message.content)
    // A user's words directly after results belong to the same turn.
    if (message.role === 'user' && results) results.push(...blocks)
    else if (blocks.length > 0) found.push({ role: message.role, content: plain(blocks) })
    else if (message.role === 'user') found.push({ role: 'user', content: EMPTY })
    // An answer without content is as good as none.
    else continue
    results = undefined
  }
  return found.length > 0 ? found : [{ role: 'user', content: NO_MESSAGE }]
}

const NO_BLOCKS = '[]'
const NO_SIGNATURES: ReadonlySet<string | undefined> = new Set([undefined, 'null', '""'])

const takenId = (written: string | undefined): string | undefined =>
  written?.startsWith('"') ? JSON.stringify(toolUseId(JSON.parse(written))) : written

/** A client's block with an id that Anthropic takes; undefined for thinking without a signature. All else is as it is written. */
function* fittedBlock(block: string): Steps<string | undefined> {
  if (!block.startsWith('{')) return block
  const members = yield* scanMembers(block)
  switch (memberIn(members, 'type')) {
    case '"thinking"':
      return NO_SIGNATURES.has(memberIn(members, 'signature')) ? undefined : block
    case '"tool_use"':
      return yield* changeMember(block, 'id', takenId)
    case '"tool_result"':
      return yield* changeMember(block, 'tool_use_id', takenId)
    default:
      return block
  }
}

/** A client's message as Claude takes it; undefined where nothing is left of it. */
function* fittedMessage(message: string): Steps<string | undefined> {
  const content = memberIn(yield* scanMembers(message), 'content')
  if (!content?.startsWith('[')) return message
  const fitted = yield* changeElements(content, fittedBlock)
  if (fitted === NO_BLOCKS && content !== NO_BLOCKS) return undefined
  return yield* changeMember(message, 'content', () => fitted)
}

/** A client's messages as Claude takes them where a part of them is another vendor's model's. */
const claudeMessages = (messages: string): Steps<string> => changeElements(messages, fittedMessage)

/** Whether a conversation has reasoning without a signature, as other vendors' is. */
const hasUnsigned = (messages: readonly Message[]): boolean =>
  messages.some(
    message =>
      message.role === 'assistant' &&
      message.reasoning?.some(({ signature, redacted }) => !(signature ?? redacted)),
  )

/** Whether a conversation has ids of tool calls that Anthropic refuses, as other vendors give them. */
const hasOthersIds = (messages: readonly Message[]): boolean =>
  messages.some(
    message => message.role === 'assistant' && message.toolCalls?.some(({ id }) => toolUseId(id) !== id),
  )

/**
 * A client's messages without what Claude refuses of another vendor's model, as JSON; undefined where they stay as they
 * are written. Other models that speak its protocol refuse nothing.
 */
export const messagesForClaude = (
  { messages, raw }: Call & Readonly<{ raw: RawRequest }>,
  { model }: Pick<Target, 'model'>,
): Steps<string> | undefined =>
  isClaude(model) && (hasUnsigned(messages) || hasOthersIds(messages))
    ? claudeMessages(memberIn(raw.members, 'messages') ?? NO_BLOCKS)
    : undefined
