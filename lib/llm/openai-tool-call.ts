import { hash } from 'node:crypto'
import type { ReplyEvent, ToolCall } from './types.ts'

/** OpenAI refuses longer ids when they come back. */
const LONGEST_ID = 40
/** OpenAI refuses longer names of tools, too; Anthropic's may have 128 characters. */
export const LONGEST_TOOL_NAME = 64
const LONGEST_HASH = 16

/** A text of at most `most` characters: the text itself, or a shorter one that only this text becomes. */
const shortened = (text: string, most: number): string =>
  text.length <= most
    ? text
    : `${text.slice(0, most - LONGEST_HASH - 1)}_${hash('sha256', text).slice(0, LONGEST_HASH)}`

/** An id of a tool call that OpenAI takes. */
export const shortToolCallId = (id: string): string => shortened(id, LONGEST_ID)

/** A name of a tool that OpenAI takes. */
export const shortToolName = (name: string): string => shortened(name, LONGEST_TOOL_NAME)

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
