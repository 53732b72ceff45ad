import { GatewayError } from '../../../errors.ts'
import { type Content, type ContentPart, type Message, type ToolCall, textOf } from '../../message.ts'
import { shortToolCallId } from '../../openai-tool-call.ts'
import { UNNAMED_FILE } from './openai-messages.ts'

const fileFor = ({ url, id, name }: Extract<ContentPart, { type: 'file' }>): object => {
  if (url === undefined) return { type: 'input_file', file_id: id }
  return url.startsWith('data:')
    ? { type: 'input_file', filename: name ?? UNNAMED_FILE, file_data: url }
    : { type: 'input_file', file_url: url }
}

const partFor = (part: ContentPart): object => {
  switch (part.type) {
    case 'text':
      return { type: 'input_text', text: part.text }
    case 'image':
      return { type: 'input_image', image_url: part.url, detail: part.detail ?? 'auto' }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.base64, format: part.format } }
    case 'file':
      return fileFor(part)
    case 'other':
      throw new GatewayError('INVALID_INPUT', `This model takes no content of type ${part.name}.`)
  }
}

const contentFor = (content: Content): string | readonly object[] =>
  typeof content === 'string' ? content : content.map(partFor)

const callFor = ({ id, name, arguments: input, isCustom }: ToolCall): object => {
  const call = { call_id: shortToolCallId(id), name }
  return isCustom
    ? { type: 'custom_tool_call', ...call, input }
    : { type: 'function_call', ...call, arguments: input }
}

type Assistant = Extract<Message, { role: 'assistant' }>

const answerFor = ({ content, refusal, toolCalls = [] }: Assistant): readonly object[] => {
  const text = textOf(content)
  const parts = [
    ...(text === '' ? [] : [{ type: 'output_text', text }]),
    ...(refusal === undefined ? [] : [{ type: 'refusal', refusal }]),
  ]
  const said = parts.length > 0 ? [{ type: 'message', role: 'assistant', content: parts }] : []
  return [...said, ...toolCalls.map(callFor)]
}

/**
 * A conversation as the items of OpenAI's Responses. Reasoning is left out: only the vendor that wrote it can read it.
 * Throws GatewayError INVALID_INPUT for content that the format does not have.
 */
export const itemsFor = (messages: readonly Message[]): readonly object[] => {
  const customCalls = new Set<string>()
  return messages.flatMap((message): readonly object[] => {
    const { role, content } = message
    if (role === 'assistant') {
      for (const { id, isCustom } of message.toolCalls ?? []) if (isCustom) customCalls.add(id)
      return answerFor(message)
    }
    if (role !== 'tool') return [{ type: 'message', role, content: contentFor(content) }]
    const { toolCallId } = message
    return [
      {
        type: customCalls.has(toolCallId) ? 'custom_tool_call_output' : 'function_call_output',
        call_id: shortToolCallId(toolCallId),
        output: contentFor(content),
      },
    ]
  })
}
