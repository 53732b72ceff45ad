import type { Fault } from '../../errors.ts'
import type { Message } from '../../llm/types.ts'
import type { ItemBody, itemBody } from '../../validation/batch.ts'
import { faultsIn } from '../../validation/faults.ts'
import type { ItemSource, NewItem } from '../types.ts'
import { isOpenAiLine, openAiLine } from './openai-line.ts'

/** What an upload says about all of its items. */
export type Wishes = Readonly<{
  /** Goes before each item, as a message from `system`. */
  instruction?: string | undefined
  /** For items that name none. */
  model?: string | undefined
  /** Of one item, as it is asked in JSON. */
  schema: ReturnType<typeof itemBody>
}>

/** An item, or what is wrong where it should be. */
export type Read = Readonly<{ item: NewItem } | { faults: readonly Fault[] }>

/** Where an item stands; `element` counts those of a list from 1, of which a line may hold several. */
export type Place = ItemSource & Readonly<{ element?: number }>

const nameOf = ({ element, ...source }: Place): string =>
  element === undefined ? placeOf(source) : `${source.file}[${element}]`

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

const checked = (value: object, place: Place, { schema }: Wishes): Read => {
  const parsed = schema.safeParse(value, { reportInput: true })
  if (!parsed.success) return { faults: faultsIn(parsed.error, placeOf(place)) }
  const { id = nameOf(place), ...request }: ItemBody = parsed.data
  const { element: _, ...source } = place
  return { item: { id, request, source } }
}

/** What a text may come with. */
type Named = Readonly<{ id?: string | undefined; model?: string | undefined }>

/** A text to be asked about. What is empty in `named` is as if it were not there. */
export const itemOfText = (content: string, source: Place, wishes: Wishes, named: Named = {}): Read => {
  if (content.trim() === '') return fault(source, 'is empty')
  const { id, model } = named
  const asked = { messages: [{ role: 'user', content }], ...(id && { id }), ...(model && { model }) }
  return checked(completed(asked, wishes), source, wishes)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * A JSON value to be asked about: one of OpenAI's batch lines, an item of ours, a text; and anything else where an
 * instruction says what to do with it.
 *
 * @param text the value as it was written
 */
export const itemOfJson = (value: unknown, text: string, source: Place, wishes: Wishes): Read => {
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
