import { GatewayError } from '../errors.ts'
import type { Reasoning, ToolCall } from './message.ts'
import type { Reply, ReplyEvent } from './types.ts'

export type Finish = Extract<ReplyEvent, { type: 'finish' }>

/** A whole answer. */
export type WholeReply = Readonly<{
  text: string
  refusal: string
  reasoning: readonly Reasoning[]
  toolCalls: readonly ToolCall[]
  finish: Finish
}>

/** The text that an event adds to its answer: of an answer, a refusal, reasoning, or a tool's arguments. */
export const addedText = (event: ReplyEvent): string => {
  if (event.type === 'tool-call-delta') return event.arguments
  return 'text' in event ? event.text : ''
}

/** How many characters of memory an event takes. */
export const charactersOf = (event: ReplyEvent): number => {
  if (event.type === 'body-bytes') return event.bytes.length
  return event.type === 'wire' ? event.json.length : addedText(event).length
}

/** How many bytes an event adds to the answer that a client of its format gets. */
export const bytesOf = (event: ReplyEvent): number => {
  if (event.type === 'body-bytes') return event.bytes.length
  return Buffer.byteLength(event.type === 'wire' ? event.json : addedText(event))
}

const isPartOf = (last: ReplyEvent | undefined, event: ReplyEvent): last is ReplyEvent => {
  if (!last || last.type !== event.type) return false
  if (last.type === 'tool-call-delta') return event.type === 'tool-call-delta' && event.index === last.index
  return last.type === 'text-delta' || last.type === 'refusal-delta' || last.type === 'reasoning-delta'
}

const extraContentIn = ({ extraContent }: Readonly<{ extraContent?: unknown }>) =>
  extraContent === undefined ? {} : { extraContent }

const joined = (last: ReplyEvent, event: ReplyEvent): ReplyEvent => {
  if (last.type === 'text-delta' && event.type === 'text-delta')
    return { type: 'text-delta', text: last.text + event.text }
  if (last.type === 'tool-call-delta' && event.type === 'tool-call-delta')
    return { ...last, ...extraContentIn(event), arguments: last.arguments + event.arguments }
  if (last.type === 'reasoning-delta' && event.type === 'reasoning-delta')
    return { ...last, ...event, text: last.text + event.text }
  return 'text' in last && 'text' in event ? { ...last, text: last.text + event.text } : event
}

/**
 * Appends an event, so that the events say the same in fewer pieces: adjacent deltas of the same kind become one. A
 * signature ends its block of reasoning, so that what follows it begins another.
 */
export const append = (events: ReplyEvent[], event: ReplyEvent): void => {
  const last = events.at(-1)
  const isSigned = last?.type === 'reasoning-delta' && last.signature !== undefined
  if (isPartOf(last, event) && !isSigned) events[events.length - 1] = joined(last, event)
  else events.push(event)
}

/** The answer that appended events make, or `undefined` where they do not end with a finish. */
export const answerOf = (events: readonly ReplyEvent[]): WholeReply | undefined => {
  let [text, refusal] = ['', '']
  const reasoning: Reasoning[] = []
  const toolCalls: ToolCall[] = []
  let finish: Finish | undefined
  for (const event of events) {
    if (event.type === 'text-delta') text += event.text
    else if (event.type === 'refusal-delta') refusal += event.text
    else if (event.type === 'reasoning-delta') {
      const { type: _, ...block } = event
      reasoning.push(block)
    } else if (event.type === 'tool-call-delta') {
      const { index, id = '', name = '', arguments: added, isCustom } = event
      const known = toolCalls[index]
      toolCalls[index] = {
        ...(known ?? { id, name, ...(isCustom && { isCustom }) }),
        ...extraContentIn(event),
        arguments: (known?.arguments ?? '') + added,
      }
    } else if (event.type === 'finish') finish = event
  }
  return finish && { text, refusal, reasoning, toolCalls: toolCalls.filter(Boolean), finish }
}

/** Reads a reply's events to their end. Throws the error that ends it. */
export const collectEvents = async (reply: Reply): Promise<readonly ReplyEvent[]> => {
  const events: ReplyEvent[] = []
  for await (const arrived of reply.events)
    for (const event of arrived) {
      if (event.type === 'error') throw event.error
      append(events, event)
    }
  return events
}

/** Reads a reply to its end. Throws the error that ends it, or PROVIDER_ERROR where it ends without a finish. */
export const collect = async (reply: Reply): Promise<WholeReply> => {
  const answer = answerOf(await collectEvents(reply))
  if (!answer) throw unfinished()
  return answer
}

/** The error for an answer that ends without saying that it is complete. */
export const unfinished = (): GatewayError =>
  new GatewayError('PROVIDER_ERROR', "The provider's stream ended without a finish event.")
