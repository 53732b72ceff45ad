import type { ReplyEvent, ToolCall } from './types.ts'

/** A tool call in OpenAI's form. */
export const toolCallBody = ({ id, name, arguments: input, isCustom }: ToolCall): object =>
  isCustom
    ? { id, type: 'custom', custom: { name, input } }
    : { id, type: 'function', function: { name, arguments: input } }

/** A fragment of a tool call in OpenAI's form. */
export const toolCallDelta = ({
  index,
  id,
  name,
  arguments: input,
  isCustom,
}: Extract<ReplyEvent, { type: 'tool-call-delta' }>): object => {
  const named = name === undefined ? {} : { name }
  const type = isCustom ? 'custom' : 'function'
  return {
    index,
    ...(id !== undefined && { id, type }),
    [type]: isCustom ? { ...named, input } : { ...named, arguments: input },
  }
}
