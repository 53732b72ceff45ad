import { hash } from 'node:crypto'
import { GatewayError } from '../../../errors.ts'
import { type Content, type ContentPart, type Message, type ToolCall, textOf } from '../../message.ts'

/** A content block of Anthropic's, or a message. */
type Block = Readonly<Record<string, unknown>>

const DATA_URL = /^data:([^;,]*)(?:;[^,]*)?;base64,/i
const PDF = 'application/pdf'

const sourceOf = (url: string): Block => {
  const [prefix, mediaType] = DATA_URL.exec(url) ?? []
  return prefix === undefined
    ? { type: 'url', url }
    : { type: 'base64', media_type: mediaType || PDF, data: url.slice(prefix.length) }
}

const refused = (what: string): never => {
  throw new GatewayError('INVALID_INPUT', `This model takes no content of type ${what}.`)
}

const blockFor = (part: ContentPart): Block => {
  switch (part.type) {
    case 'text':
      return part
    case 'image':
      return { type: 'image', source: sourceOf(part.url) }
    case 'file': {
      const source = part.url === undefined ? { type: 'file', file_id: part.id } : sourceOf(part.url)
      return { type: 'document', source, ...(part.name !== undefined && { title: part.name }) }
    }
    case 'audio':
      return refused('audio')
    case 'other':
      return refused(part.name)
  }
}

const REFUSED_IN_IDS = /[^\w-]/g
const LONGEST_HASH = 16

/** An id of a tool call that Anthropic takes: other vendors' have dots and colons, as in `functions.weather:0`. */
const toolUseId = (id: string): string => {
  const plainId = id.replace(REFUSED_IN_IDS, '_')
  return plainId === id ? id : `${plainId}_${hash('sha256', id).slice(0, LONGEST_HASH)}`
}

/** Anthropic refuses empty text. */
const isFilled = (part: ContentPart): boolean => part.type !== 'text' || part.text !== ''

const blocksFor = (content: Content): readonly Block[] => {
  if (typeof content !== 'string') return content.filter(isFilled).map(blockFor)
  return content === '' ? [] : [{ type: 'text', text: content }]
}

const inputOf = (call: ToolCall): unknown => {
  if (call.isCustom) return { input: call.arguments }
  if (call.arguments.trim() === '') return {}
  try {
    return JSON.parse(call.arguments)
  } catch {
    throw new GatewayError('INVALID_INPUT', `The arguments of the tool call ${call.id} are not valid JSON.`)
  }
}

const assistantBlocks = (message: Extract<Message, { role: 'assistant' }>): readonly Block[] => [
  ...(message.reasoning ?? []).flatMap(({ text, signature }) =>
    signature === undefined ? [] : [{ type: 'thinking', thinking: text, signature }],
  ),
  ...blocksFor(message.content),
  ...(message.refusal ? [{ type: 'text', text: message.refusal }] : []),
  ...(message.toolCalls ?? []).map(call => ({
    type: 'tool_use',
    id: toolUseId(call.id),
    name: call.name,
    input: inputOf(call),
  })),
]

const toolResult = ({ toolCallId, content }: Extract<Message, { role: 'tool' }>): Block => ({
  type: 'tool_result',
  tool_use_id: toolUseId(toolCallId),
  content: typeof content === 'string' ? content : blocksFor(content),
})

/** Text alone stays text: the usual request is then the same as a client of Anthropic's would send. */
const plain = (blocks: readonly Block[]): string | readonly Block[] => {
  const [only] = blocks
  return blocks.length === 1 && only?.type === 'text' && typeof only.text === 'string' ? only.text : blocks
}

/** The instructions of a conversation, which Anthropic takes apart from it; empty where there are none. */
export const systemOf = (messages: readonly Message[]): string =>
  messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .map(({ content }) => textOf(content))
    .join('\n\n')

/** A conversation without its instructions. The results of tools are a user's message, all of one turn together. */
export const conversationOf = (messages: readonly Message[]): readonly Block[] => {
  const found: Block[] = []
  let results: Block[] | undefined
  for (const message of messages) {
    if (message.role === 'system' || message.role === 'developer') continue
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
    else found.push({ role: message.role, content: plain(blocks) })
    results = undefined
  }
  return found
}
