import {
  type Content,
  type ContentPart,
  type Message,
  placedAfter,
  type Reasoning,
  type ToolCall,
  textOf,
} from '../../../llm/message.ts'
import { turn } from '../../../loop-turns.ts'
import { isObject } from '../../../raw-json.ts'
import type { AnthropicCountBody } from '../../../validation/anthropic-messages.ts'
import { withBreakpoint } from '../breakpoint.ts'

type BodyMessage = AnthropicCountBody['messages'][number]
type Block = Exclude<BodyMessage['content'], string>[number]
type Medium = Readonly<{
  type: string
  text?: string | undefined
  source?: Block['source']
  title?: string | undefined
  context?: unknown
  content?: unknown
  tool_name?: string | undefined
  cache_control?: unknown
}>
type Source = Exclude<NonNullable<Block['source']>, string>

const sourceOf = ({ source }: Medium): Source | undefined => (typeof source === 'object' ? source : undefined)

const urlOf = ({ type, media_type: mediaType = '', data, url }: Source) =>
  type === 'base64' && data !== undefined ? `data:${mediaType};base64,${data}` : url

/** What says of a document what it is, in lines of their own. */
const headingOf = ({ title, context }: Medium): readonly string[] =>
  [title, context].filter(line => typeof line === 'string')

const documentParts = (block: Medium): readonly ContentPart[] => {
  const source = sourceOf(block)
  const { title } = block
  const heading = headingOf(block)
  if (source?.type === 'text' && source.data !== undefined)
    return [{ type: 'text', text: [...heading, source.data].join('\n') }]
  if (source?.type === 'content') {
    const parts = partsOf(source.content ?? [])
    return heading.length > 0 ? [{ type: 'text', text: heading.join('\n') }, ...parts] : parts
  }
  const url = source && urlOf(source)
  return [
    {
      type: 'file',
      ...(title !== undefined && { name: title }),
      ...(url !== undefined && { url }),
      ...(source?.file_id !== undefined && { id: source.file_id }),
    },
  ]
}

const textsIn = (content: unknown): readonly string[] =>
  Array.isArray(content)
    ? content.flatMap((block: unknown) =>
        typeof block === 'object' && block !== null && 'text' in block && typeof block.text === 'string'
          ? [block.text]
          : [],
      )
    : []

/** A search result as text: its title and its source in lines of their own, then what was found there. */
const searchResultText = ({ source, title, content }: Medium): string =>
  [title, typeof source === 'string' ? source : undefined, ...textsIn(content)]
    .filter(line => line !== undefined)
    .join('\n')

const partsWithoutBreakpoint = (block: Medium): readonly ContentPart[] => {
  if (block.type === 'text') return [{ type: 'text', text: block.text ?? '' }]
  if (block.type === 'document') return documentParts(block)
  if (block.type === 'search_result') return [{ type: 'text', text: searchResultText(block) }]
  if (block.type === 'tool_reference' && block.tool_name !== undefined)
    return [{ type: 'text', text: block.tool_name }]
  const source = sourceOf(block)
  const url = block.type === 'image' && source ? urlOf(source) : undefined
  return [url === undefined ? { type: 'other', name: block.type } : { type: 'image', url }]
}

/** The types of blocks that other formats cannot say whole. */
const KEPT_WHOLE: ReadonlySet<string> = new Set(['document', 'search_result', 'image'])

/** The parts with the block that they are made of, which the first one says. */
const withBlock = (parts: readonly ContentPart[], block: Medium): readonly ContentPart[] =>
  KEPT_WHOLE.has(block.type)
    ? parts.map((part, at) =>
        part.type === 'audio' ? part : { ...part, block: at === 0 ? block : 'continued' },
      )
    : parts

/** A breakpoint of the prompt cache stands on the last of the parts. */
const partsOfBlock = (block: Medium): readonly ContentPart[] =>
  withBlock(withBreakpoint(partsWithoutBreakpoint(block), block.cache_control), block)

const partsOf = (content: string | readonly Medium[]): readonly ContentPart[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content.flatMap(partsOfBlock)

/** One text stays text: the usual request is then the same as a client of another format would send. */
const asContent = (parts: readonly ContentPart[]): Content => {
  const [only] = parts
  if (!only) return ''
  return parts.length === 1 && only.type === 'text' && !only.cacheControl && !only.block ? only.text : parts
}

const contentOf = (blocks: readonly Medium[]): Content => asContent(partsOf(blocks))

const FAILED = 'Error'
const SAYS_FAILED = /^\s*error/i

/** Says that a tool failed, where the text does not begin with that. */
const asFailure = (text: string): string => {
  if (SAYS_FAILED.test(text)) return text
  return text === '' ? FAILED : `${FAILED}: ${text}`
}

/** Other vendors know a failure by the text alone. */
const failed = (content: Content): Content => {
  if (typeof content === 'string') return asFailure(content)
  const [first, ...others] = content
  return first?.type === 'text' && !first.block
    ? [{ ...first, text: asFailure(first.text) }, ...others]
    : [{ type: 'text', text: FAILED }, ...content]
}

const toolResult = ({
  tool_use_id: id = '',
  content: given,
  is_error: isError,
  cache_control: breakpoint,
}: Block): Message => {
  const content = typeof given === 'string' ? given : contentOf((given ?? []) as readonly Medium[])
  return {
    role: 'tool',
    toolCallId: id,
    content: isError ? failed(content) : content,
    ...(isObject(breakpoint) && { cacheControl: breakpoint }),
  }
}

const toolCallOf = ({ id = '', name = '', input, cache_control: breakpoint }: Block): ToolCall => ({
  id,
  name,
  arguments: JSON.stringify(input ?? {}),
  ...(isObject(breakpoint) && { cacheControl: breakpoint }),
})

const reasoningOf = ({ thinking = '', signature, data }: Block): Reasoning => ({
  text: thinking,
  ...(signature && { signature }),
  ...(data && { redacted: data }),
})

const THINKING: ReadonlySet<string> = new Set(['thinking', 'redacted_thinking'])

/**
 * An answer of the model's; none where nothing is left of it.
 * @param leftOut gets the types of the blocks that only Anthropic has: those of its own tools
 */
const assistantMessages = (blocks: readonly Block[], leftOut: Set<string>): readonly Message[] => {
  const said: ContentPart[] = []
  const calls: ToolCall[] = []
  const reasoning: Reasoning[] = []
  let isWhole = true
  const say = (block: Block): void => {
    const parts = partsOfBlock(block)
    const isOfFormatAlone = parts.some(({ type }) => type === 'other')
    if (isOfFormatAlone) {
      leftOut.add(block.type)
      isWhole = false
    } else said.push(...parts)
  }
  for (const block of blocks)
    if (block.type === 'tool_use') calls.push(toolCallOf(block))
    else if (!THINKING.has(block.type)) say(block)
    else reasoning.push(placedAfter(reasoningOf(block), said.length + calls.length))
  if (!isWhole && said.length === 0 && calls.length === 0) return []
  return [
    {
      role: 'assistant',
      content: asContent(said),
      ...(calls.length > 0 && { toolCalls: calls }),
      ...(reasoning.length > 0 && { reasoning }),
    },
  ]
}

/** A user's message: the results of tools first, each a message of its own, then the rest. */
const userMessages = (blocks: readonly Block[]): readonly Message[] => {
  const results = blocks.filter(({ type }) => type === 'tool_result')
  const said = blocks.filter(({ type }) => type !== 'tool_result')
  const rest: readonly Message[] =
    said.length > 0 || results.length === 0 ? [{ role: 'user', content: contentOf(said) }] : []
  return [...results.map(toolResult), ...rest]
}

const messagesOf = ({ role, content }: BodyMessage, leftOut: Set<string>): readonly Message[] => {
  if (typeof content === 'string') return [{ role, content }]
  if (role === 'assistant') return assistantMessages(content, leftOut)
  return role === 'user' ? userMessages(content) : [{ role, content: contentOf(content) }]
}

const PARAGRAPH = '\n\n'

/** One text; its parts where one of them has a breakpoint of the prompt cache, which together are the same text. */
const instructionOf = (system: NonNullable<AnthropicCountBody['system']>): Content => {
  if (typeof system === 'string') return system
  const parts = system.flatMap(({ text = '', cache_control: breakpoint }, at) =>
    withBreakpoint([{ type: 'text', text: at < system.length - 1 ? text + PARAGRAPH : text }], breakpoint),
  )
  return parts.some(part => 'cacheControl' in part) ? parts : textOf(parts)
}

export type Conversation = Readonly<{
  messages: readonly Message[]
  /** The types of the model's blocks that were left out. */
  leftOut: readonly string[]
}>

/** The conversation of a body, its instructions first; read between other work. */
export const conversationOf = async ({ system, messages }: AnthropicCountBody): Promise<Conversation> => {
  const instruction = system === undefined ? '' : instructionOf(system)
  const conversation: Message[] = instruction === '' ? [] : [{ role: 'system', content: instruction }]
  const leftOut = new Set<string>()
  for (const message of messages) {
    const wait = turn()
    if (wait) await wait
    for (const one of messagesOf(message, leftOut)) conversation.push(one)
  }
  return { messages: conversation, leftOut: [...leftOut] }
}
