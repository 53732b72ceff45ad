import type { Fault } from '../../errors.ts'
import type { Message } from '../../llm/types.ts'
import { type ItemBody, itemBody } from '../../validation/batch.ts'
import type { ChatLimits } from '../../validation/chat.ts'
import { faultsIn } from '../../validation/faults.ts'
import type { ItemSource, NewItem } from '../types.ts'
import { isOpenAiLine, openAiLine } from './openai-line.ts'

/** What an upload says about all of its items. */
export type Wishes = Readonly<{
  /** Goes before each item, as a message from `system`. */
  instruction?: string | undefined
  /** For items that name none. */
  model?: string | undefined
  limits: ChatLimits
}>

/** An item, or what is wrong where it should be. */
export type Read = Readonly<{ item: NewItem } | { faults: readonly Fault[] }>

export const placeOf = ({ file, line }: ItemSource): string => (line === undefined ? file : `${file}:${line}`)

export const fault = (source: ItemSource, message: string): Read => ({
  faults: [{ path: placeOf(source), message }],
})

const instructed = ({ instruction }: Wishes, messages: readonly unknown[]): readonly unknown[] =>
  instruction === undefined
    ? messages
    : [{ role: 'system', content: instruction } satisfies Message, ...messages]

/** What was written, with what the upload says about all. */
const completed = (value: Readonly<Record<string, unknown>>, wishes: Wishes): object => {
  const { prompt, messages, model = wishes.model, ...rest } = value
  const asked = {
    ...rest,
    ...(model !== undefined && { model }),
  }
  if (wishes.instruction === undefined)
    return { ...asked, ...(prompt !== undefined && { prompt }), ...(messages !== undefined && { messages }) }
  if (Array.isArray(messages) && prompt === undefined)
    return { ...asked, messages: instructed(wishes, messages) }
  if (typeof prompt === 'string' && messages === undefined)
    return { ...asked, messages: instructed(wishes, [{ role: 'user', content: prompt }]) }
  return { ...asked, prompt, messages }
}

const checked = (value: object, source: ItemSource, { limits }: Wishes): Read => {
  const parsed = itemBody(limits).safeParse(value, { reportInput: true })
  if (!parsed.success) return { faults: faultsIn(parsed.error, placeOf(source)) }
  const { id = placeOf(source), ...request }: ItemBody = parsed.data
  return { item: { id, request, source } }
}

/** A text to be asked about. */
export const itemOfText = (content: string, source: ItemSource, wishes: Wishes, id?: string): Read =>
  checked(
    completed({ messages: [{ role: 'user', content }], ...(id !== undefined && { id }) }, wishes),
    source,
    wishes,
  )

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A JSON value to be asked about: one of OpenAI's batch lines, an item of ours, a text; and anything else where an
 * instruction says what to do with it.
 *
 * @param text the value as it was written
 */
export const itemOfJson = (value: unknown, text: string, source: ItemSource, wishes: Wishes): Read => {
  if (typeof value === 'string') return itemOfText(value, source, wishes)
  if (isObject(value) && isOpenAiLine(value)) {
    const parsed = openAiLine.safeParse(value, { reportInput: true })
    if (!parsed.success) return { faults: faultsIn(parsed.error, placeOf(source)) }
    return checked(completed(parsed.data, wishes), source, wishes)
  }
  if (isObject(value) && ('prompt' in value || 'messages' in value))
    return checked(completed(value, wishes), source, wishes)
  if (wishes.instruction !== undefined) return itemOfText(text.trim(), source, wishes)
  return fault(source, 'needs a prompt or messages; or send an instruction that says what to do with it')
}
