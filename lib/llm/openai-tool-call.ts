import { hash } from 'node:crypto'
import type { ReplyEvent, ToolCall } from './types.ts'

/** OpenAI refuses longer ids when they come back. */
const LONGEST_ID = 40
const LONGEST_HASH = 16

/** An id of a tool call that OpenAI takes: the same one, or a shorter one that only this id becomes. */
export const shortToolCallId = (id: string): string =>
  id.length <= LONGEST_ID
    ? id
    : `${id.slice(0, LONGEST_ID - LONGEST_HASH - 1)}_${hash('sha256', id).slice(0, LONGEST_HASH)}`

/** A tool call in OpenAI's form. */
export const toolCallBody = ({
  id: given,
  name,
  arguments: input,
  isCustom,
  extraContent,
}: ToolCall): object => {
  const id = shortToolCallId(given)
  const called = isCustom
    ? { id, type: 'custom', custom: { name, input } }
    : { id, type: 'function', function: { name, arguments: input } }
  return extraContent === undefined ? called : { ...called, extra_content: extraContent }
}

/** A fragment of a tool call in OpenAI's form. */
export const toolCallDelta = ({
  index,
  id,
  name,
  arguments: input,
  isCustom,
  extraContent,
}: Extract<ReplyEvent, { type: 'tool-call-delta' }>): object => {
  const named = name === undefined ? {} : { name }
  const type = isCustom ? 'custom' : 'function'
  return {
    index,
    ...(id !== undefined && { id: shortToolCallId(id), type }),
    [type]: isCustom ? { ...named, input } : { ...named, arguments: input },
    ...(extraContent !== undefined && { extra_content: extraContent }),
  }
}
