import type { ReplyEvent } from './types.ts'

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
