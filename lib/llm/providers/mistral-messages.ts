import { hash } from 'node:crypto'
import type { Steps } from '../../loop-turns.ts'
import { changeElements, changeMember, longStep, objectOf, scanMembers } from '../../raw-json.ts'
import type { Message } from '../message.ts'

/** Source: Mistral's error 3280, "must be a-z, A-Z, 0-9, with a length of 9". */
const ID = /^[a-zA-Z0-9]{9}$/
const ID_LENGTH = 9

/** An id of a tool call that Mistral takes: the same one, or one that only this id becomes. */
const mistralId = (id: string): string => (ID.test(id) ? id : hash('sha256', id).slice(0, ID_LENGTH))

/** A message with ids that Mistral takes: the same object where they fit already. */
const withOwnIds = (message: Message): Message => {
  if (message.role === 'tool' && !ID.test(message.toolCallId))
    return { ...message, toolCallId: mistralId(message.toolCallId) }
  if (message.role !== 'assistant' || !message.toolCalls?.some(({ id }) => !ID.test(id))) return message
  return { ...message, toolCalls: message.toolCalls.map(call => ({ ...call, id: mistralId(call.id) })) }
}

/** After a tool's result Mistral takes the model's message alone, or another result. Source: its error 3230. */
const isOutOfTurn = (message: Message, before: Message | undefined): boolean =>
  before?.role === 'tool' && message.role !== 'tool' && message.role !== 'assistant'

const mistralIdJson = (written: string): string => {
  const id: unknown = JSON.parse(written)
  return typeof id === 'string' && !ID.test(id) ? JSON.stringify(mistralId(id)) : written
}

function* withOwnCallIds(calls: string): Steps<string> {
  if (!calls.startsWith('[')) return calls
  return yield* changeElements(calls, call =>
    changeMember(call, 'id', written => written && mistralIdJson(written)),
  )
}

const BETWEEN_JSON = '{"role":"assistant","content":"OK."}'
const RESULT = '"tool"'
const AFTER_RESULT: ReadonlySet<string | undefined> = new Set([RESULT, '"assistant"'])

/** A client's message with ids that fit. */
function* fittedJson(message: string, members: Map<string, string>): Steps<string> {
  const [id, calls] = [members.get('tool_call_id'), members.get('tool_calls')]
  if (id) members.set('tool_call_id', mistralIdJson(id))
  if (calls) members.set('tool_calls', yield* withOwnCallIds(calls))
  return id || calls ? yield* longStep(message, () => objectOf([...members])) : message
}

/** A client's messages as Mistral takes them: ids that fit, and an answer between a result and a user's message. */
export function* mistralMessagesJson(messages: string): Steps<string> {
  let before: string | undefined
  return yield* changeElements(messages, function* (message) {
    const members = new Map(yield* scanMembers(message))
    const role = members.get('role')
    const isLate = before === RESULT && !AFTER_RESULT.has(role)
    before = role
    const own = yield* fittedJson(message, members)
    return isLate ? `${BETWEEN_JSON},${own}` : own
  })
}

const BETWEEN: Message = { role: 'assistant', content: 'OK.' }

/** A conversation as Mistral takes it, such as one that began with another vendor: the same list where it does. */
export const mistralMessages = (messages: readonly Message[]): readonly Message[] => {
  const fitted = messages.flatMap((message, at) =>
    isOutOfTurn(message, messages[at - 1]) ? [BETWEEN, withOwnIds(message)] : [withOwnIds(message)],
  )
  return fitted.every((message, at) => message === messages[at]) ? messages : fitted
}
