import { answerOf, unfinished, type WholeReply } from '../llm/events.ts'
import type { ReplyEvent } from '../llm/types.ts'
import { isObject } from '../raw-json.ts'

/** The texts of an answer that are to be checked: complete ones, neither calls of tools nor refusals. */
export type Choices = readonly string[]

type Choice = { text: string; isOther: boolean; finish: string | undefined }

/** Finish reasons with which a text is not the answer as the model meant it. */
const INCOMPLETE: ReadonlySet<string | undefined> = new Set([
  'length',
  'content_filter',
  'tool_calls',
  'function_call',
  'stopped',
])

const ofWhole = ({ text, refusal, toolCalls, finish }: WholeReply): Choices =>
  toolCalls.length > 0 || refusal !== '' || INCOMPLETE.has(finish.reason) ? [] : [text]

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : {})

const isFilled = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)

/** Adds a choice of a chunk, or of a whole answer, to what is known of it. */
const add = (choices: Map<unknown, Choice>, given: unknown): void => {
  const { index = 0, delta, message, finish_reason: reason } = fieldsOf(given)
  const { content, refusal, tool_calls: calls, function_call: called } = fieldsOf(delta ?? message)
  const choice = choices.get(index) ?? { text: '', isOther: false, finish: undefined }
  choices.set(index, choice)
  if (typeof content === 'string') choice.text += content
  if (isFilled(refusal) || isFilled(calls) || isFilled(called)) choice.isOther = true
  if (typeof reason === 'string') choice.finish = reason
}

/** The texts to check of an answer in OpenAI's format that passes on as it came: it may have several. */
const ofWire = (events: readonly ReplyEvent[]): Choices => {
  const choices = new Map<unknown, Choice>()
  for (const event of events) {
    if (event.type !== 'wire' || event.format !== 'openai-chat') continue
    const { choices: given } = fieldsOf(parsed(event.json))
    if (Array.isArray(given)) for (const one of given) add(choices, one)
  }
  return [...choices.values()].flatMap(({ text, isOther, finish }) =>
    isOther || INCOMPLETE.has(finish) ? [] : [text],
  )
}

/** The texts to check of an answer's events. Throws PROVIDER_ERROR where it ends without a finish. */
export const choicesOf = (events: readonly ReplyEvent[], wanted = 1): Choices => {
  const whole = answerOf(events)
  if (!whole) throw unfinished()
  const hasWire = events.some(event => event.type === 'wire' && event.format === 'openai-chat')
  return wanted > 1 && hasWire ? ofWire(events) : ofWhole(whole)
}
