import { isObject } from '../../raw-json.ts'
import { namesInWords } from './notices.ts'
import { draftOfOpenAi } from './openai-line.ts'

/** One item of a file in the shape of an item, not yet validated. */
export type Draft = Readonly<{
  fields: Readonly<Record<string, unknown>>
  /** A line in OpenAI's format: taken as it is, also where there is an instruction, and its model by OpenAI's own name. */
  isOpenAi?: true
  /** Names of ignored parameters. */
  notice?: string
}>

/** A draft, or why there is none. */
export type Found = Readonly<{ draft: Draft } | { fault: string }>

/**
 * What a file reader finds: an item, at `line` or `at` (`[3]`); or a warning about a file that is accepted.
 */
export type Finding = (Readonly<{ line?: number; at?: string }> & Found) | Readonly<{ notice: string }>

const openAiDraft = (line: Record<string, unknown>): Draft => {
  const { fields, ignored } = draftOfOpenAi(line)
  const notice = `not passed on to the model: ${namesInWords(ignored, 'body parameter')}`
  return { fields, isOpenAi: true, ...(ignored.length > 0 && { notice }) }
}

/** An item's fields; null means that it has no prompt, or no messages. */
export const withoutNull = ({ prompt, messages, ...others }: Draft['fields']): Draft['fields'] => ({
  ...others,
  ...(prompt !== null && prompt !== undefined && { prompt }),
  ...(messages !== null && messages !== undefined && { messages }),
})

const isItem = (fields: Draft['fields']): boolean =>
  Object.hasOwn(fields, 'prompt') || Object.hasOwn(fields, 'messages')

/**
 * The draft of a JSON value: OpenAI's batch line, taken as it is; an item with `prompt` or `messages`; a string,
 * which is a prompt; or, below an instruction, any other value written as JSON.
 * @throws GatewayError INVALID_INPUT for an OpenAI line with an unsupported parameter.
 */
export const draftOfJson = (value: unknown, hasInstruction: boolean): Draft | undefined => {
  if (typeof value === 'string') return { fields: { prompt: value } }
  if (isObject(value)) {
    if (Object.hasOwn(value, 'custom_id') || Object.hasOwn(value, 'url')) return openAiDraft(value)
    const fields = withoutNull(value)
    if (isItem(hasInstruction ? fields : value)) return { fields }
    return hasInstruction ? { fields: { prompt: JSON.stringify(fields) } } : undefined
  }
  return hasInstruction ? { fields: { prompt: JSON.stringify(value) } } : undefined
}
