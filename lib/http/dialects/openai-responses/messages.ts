import type { Content, ContentPart, Message, Reasoning, ToolCall } from '../../../llm/message.ts'
import type { OpenAiInputItem } from '../../../validation/openai-responses.ts'

type ItemContent = NonNullable<OpenAiInputItem['content']>
type ItemPart = Exclude<ItemContent, string>[number]
type Assistant = Extract<Message, { role: 'assistant' }>

/** Marks a signature of reasoning in `encrypted_content`: other values belong to the vendor that wrote them. */
const SIGNATURE = 'signature:'

/** The signature of reasoning as an item carries it. */
export const encryptedContent = (signature: string): string => `${SIGNATURE}${signature}`

const partOf = (part: ItemPart): ContentPart => {
  const { type, text, image_url: image, detail, input_audio: audio, file_id: id, filename } = part
  if (type === 'refusal' && part.refusal !== undefined) return { type: 'text', text: part.refusal }
  if (text !== undefined) return { type: 'text', text }
  if (type === 'input_image' && image !== undefined)
    return { type: 'image', url: image, ...(detail !== undefined && { detail }) }
  if (type === 'input_audio' && audio) return { type: 'audio', base64: audio.data, format: audio.format }
  const url = part.file_data ?? part.file_url
  if (type === 'input_file' && (url ?? id) !== undefined)
    return {
      type: 'file',
      ...(filename !== undefined && { name: filename }),
      ...(url !== undefined && { url }),
      ...(id !== undefined && { id }),
    }
  return { type: 'other', name: type }
}

const isRefusal = ({ type }: ItemPart): boolean => type === 'refusal'

/** A single text part is plain text, which every model takes. */
const contentOf = (content: ItemContent): Content => {
  if (typeof content === 'string') return content
  const parts = content.map(partOf)
  const [only] = parts
  return parts.length === 1 && only?.type === 'text' ? only.text : parts
}

const isParts = (value: unknown): value is Exclude<ItemContent, string> =>
  Array.isArray(value) && value.every(part => typeof part === 'object' && typeof part?.type === 'string')

/** The result of a tool: text, parts, or any other value as JSON. */
const outputOf = (output: unknown): Content => {
  if (typeof output === 'string') return output
  return isParts(output) ? contentOf(output) : JSON.stringify(output ?? null)
}

const reasoningOf = ({ summary = [], content, encrypted_content: encrypted }: OpenAiInputItem): Reasoning => {
  const parts = [...summary, ...(typeof content === 'string' ? [] : (content ?? []))]
  const text = parts.map(part => part.text ?? '').join('')
  return { text, ...(encrypted?.startsWith(SIGNATURE) && { signature: encrypted.slice(SIGNATURE.length) }) }
}

const EMPTY: Assistant = { role: 'assistant', content: '' }

const withText = (message: Assistant, content: ItemContent): Assistant => {
  if (typeof content === 'string' || !content.some(isRefusal)) {
    const added = contentOf(content)
    if (message.content.length === 0) return { ...message, content: added }
    const parts = [message.content, added].flatMap(one =>
      typeof one === 'string' ? [{ type: 'text' as const, text: one }] : one,
    )
    return { ...message, content: parts }
  }
  const refusal = content
    .filter(isRefusal)
    .map(part => part.refusal ?? '')
    .join('')
  const texts = content.filter(part => part.type !== 'refusal')
  const refused = { ...message, refusal: (message.refusal ?? '') + refusal }
  return texts.length > 0 ? withText(refused, texts) : refused
}

const withCall = (message: Assistant, call: ToolCall): Assistant => ({
  ...message,
  toolCalls: [...(message.toolCalls ?? []), call],
})

/** What an item adds to the model's own message; undefined where it is no part of one. */
const addedBy = (item: OpenAiInputItem, message: Assistant): Assistant | undefined => {
  const { type = 'message', role, content = '', call_id: id = '', name = '' } = item
  switch (type) {
    case 'message':
      return role === 'assistant' ? withText(message, content) : undefined
    case 'reasoning':
      return { ...message, reasoning: [...(message.reasoning ?? []), reasoningOf(item)] }
    case 'function_call':
      return withCall(message, { id, name, arguments: item.arguments ?? '' })
    case 'custom_tool_call':
      return withCall(message, { id, name, arguments: item.input ?? '', isCustom: true })
    default:
      return undefined
  }
}

/** An item of anyone but the model; undefined where it is of a type that only Responses have. */
const messageOf = ({ type = 'message', role, content = '', call_id: id = '', output }: OpenAiInputItem) => {
  if (type === 'message' && role && role !== 'assistant')
    return { role, content: contentOf(content) } satisfies Message
  if (type === 'function_call_output' || type === 'custom_tool_call_output')
    return { role: 'tool', toolCallId: id, content: outputOf(output) } satisfies Message
  return undefined
}

export type Conversation = Readonly<{
  messages: readonly Message[]
  /** The types of items that were left out. */
  omitted: readonly string[]
}>

/** Whether an item of the model's belongs to the message before it. Calls must all stand before their results. */
const continues = ({ type = 'message' }: OpenAiInputItem, last: Assistant): boolean =>
  last.content.length === 0 || last.toolCalls !== undefined || (type !== 'message' && type !== 'reasoning')

/** Items as a conversation. Reasoning, text and calls that belong together are one message of it. */
export const conversationOf = (items: readonly OpenAiInputItem[]): Conversation => {
  const messages: Message[] = []
  const omitted = new Set<string>()
  for (const item of items) {
    const last = messages.at(-1)
    const isOpen = last?.role === 'assistant' && continues(item, last)
    const own = addedBy(item, isOpen ? last : EMPTY)
    const other = own ? undefined : messageOf(item)
    if (own && isOpen) messages[messages.length - 1] = own
    else if (own ?? other) messages.push((own ?? other) as Message)
    else omitted.add(item.type ?? 'message')
  }
  return { messages, omitted: [...omitted] }
}
