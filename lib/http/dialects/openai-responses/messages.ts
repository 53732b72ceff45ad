import {
  type Content,
  type ContentPart,
  fileDataUrl,
  type Message,
  placedAfter,
  type Reasoning,
  type ToolCall,
} from '../../../llm/message.ts'
import { mapInTurns } from '../../../loop-turns.ts'
import type { OpenAiInputItem } from '../../../validation/openai-responses.ts'

type ItemContent = NonNullable<OpenAiInputItem['content']>
type ItemPart = Exclude<ItemContent, string>[number]
type Assistant = Extract<Message, { role: 'assistant' }>

/** Mark what the gateway put into `encrypted_content` of reasoning: other values belong to the vendor that wrote them. */
const SIGNATURE = 'signature:'
const REDACTED = 'redacted:'

type Sealed = Readonly<{ signature?: string | undefined; redacted?: string | undefined }>

/** What only its vendor understands of a block of reasoning, as an item carries it; undefined where there is nothing. */
export const encryptedContent = ({ signature, redacted }: Sealed): string | undefined => {
  if (redacted !== undefined) return `${REDACTED}${redacted}`
  return signature === undefined ? undefined : `${SIGNATURE}${signature}`
}

/** What an item's `encrypted_content` holds; undefined where the gateway did not write it. */
export const sealedIn = (encrypted = ''): Sealed | undefined => {
  if (encrypted.startsWith(SIGNATURE)) return { signature: encrypted.slice(SIGNATURE.length) }
  return encrypted.startsWith(REDACTED) ? { redacted: encrypted.slice(REDACTED.length) } : undefined
}

const partOf = (part: ItemPart): ContentPart => {
  const { type, text, image_url: image, detail, input_audio: audio, file_id: id, filename } = part
  if (type === 'refusal' && part.refusal !== undefined) return { type: 'text', text: part.refusal }
  if (text !== undefined) return { type: 'text', text }
  if (type === 'input_image' && image !== undefined)
    return { type: 'image', url: image, ...(detail !== undefined && { detail }) }
  if (type === 'input_audio' && audio) return { type: 'audio', base64: audio.data, format: audio.format }
  const url = part.file_data === undefined ? part.file_url : fileDataUrl(part.file_data)
  if (type === 'input_file' && (url ?? id) !== undefined)
    return {
      type: 'file',
      ...(filename !== undefined && { name: filename }),
      ...(url !== undefined && { url }),
      ...(id !== undefined && { id }),
    }
  return { type: 'other', name: type }
}

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
  const { signature, redacted } = sealedIn(encrypted) ?? {}
  if (redacted !== undefined) return { text: '', redacted }
  return { text, ...(signature !== undefined && { signature }) }
}

/** A message of the model's, as its items come. */
class AssistantMessage {
  readonly #parts: ContentPart[] = []
  readonly #calls: ToolCall[] = []
  readonly #reasoning: Reasoning[] = []
  #refusal: string | undefined

  /** Adds an item; returns whether it is one of the model's. */
  add(item: OpenAiInputItem): boolean {
    const { type = 'message', role, content = '', call_id: id = '', name = '' } = item
    if (type === 'message' && role === 'assistant') this.#addText(content)
    else if (type === 'reasoning') this.#addReasoning(reasoningOf(item))
    else if (type === 'function_call') this.#calls.push({ id, name, arguments: item.arguments ?? '' })
    else if (type === 'custom_tool_call')
      this.#calls.push({ id, name, arguments: item.input ?? '', isCustom: true })
    else return false
    return true
  }

  /** Whether an item of the model's belongs to this message. Calls must all stand before their results. */
  isContinuedBy({ type = 'message' }: OpenAiInputItem): boolean {
    const hasText = this.#parts.length > 0 || this.#refusal !== undefined
    return !hasText || this.#calls.length > 0 || (type !== 'message' && type !== 'reasoning')
  }

  whole(): Assistant {
    const [only, ...others] = this.#parts
    const text = only === undefined ? '' : only.type === 'text' && others.length === 0 ? only.text : undefined
    return {
      role: 'assistant',
      content: text ?? this.#parts,
      ...(this.#calls.length > 0 && { toolCalls: this.#calls }),
      ...(this.#reasoning.length > 0 && { reasoning: this.#reasoning }),
      ...(this.#refusal !== undefined && { refusal: this.#refusal }),
    }
  }

  #addReasoning(reasoning: Reasoning): void {
    this.#reasoning.push(placedAfter(reasoning, this.#parts.length + this.#calls.length))
  }

  #addText(content: ItemContent): void {
    const parts = typeof content === 'string' ? [{ type: 'output_text', text: content }] : content
    for (const part of parts) {
      if (part.type === 'refusal') this.#refusal = (this.#refusal ?? '') + (part.refusal ?? '')
      else this.#parts.push(partOf(part))
    }
  }
}

/** An item of another author; undefined where it is of a type that only Responses have. */
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

/** Reasoning, text and calls that belong together are one message. */
class ConversationBuilder {
  readonly #messages: Message[] = []
  readonly #omitted = new Set<string>()
  #open: AssistantMessage | undefined

  add(item: OpenAiInputItem): void {
    if (this.#open?.isContinuedBy(item) && this.#open.add(item)) return
    const begun = new AssistantMessage()
    const isOwn = begun.add(item)
    const other = isOwn ? undefined : messageOf(item)
    if (isOwn || other) this.#close()
    if (isOwn) this.#open = begun
    else if (other) this.#messages.push(other)
    else this.#omitted.add(item.type ?? 'message')
  }

  whole(): Conversation {
    this.#close()
    return { messages: this.#messages, omitted: [...this.#omitted] }
  }

  #close(): void {
    if (this.#open) this.#messages.push(this.#open.whole())
    this.#open = undefined
  }
}

/** Items as a conversation. */
export const conversationOf = (items: readonly OpenAiInputItem[]): Conversation => {
  const conversation = new ConversationBuilder()
  for (const item of items) conversation.add(item)
  return conversation.whole()
}

/** `conversationOf` for a list that may be long, in turns between other work. */
export const conversationInTurns = async (items: readonly OpenAiInputItem[]): Promise<Conversation> => {
  const conversation = new ConversationBuilder()
  await mapInTurns(items, item => conversation.add(item))
  return conversation.whole()
}
