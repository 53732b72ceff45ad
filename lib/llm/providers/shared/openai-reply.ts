import { oneLine } from '../../../raw-json.ts'
import type { SseEvent } from '../../../sse-parser.ts'
import type { ReplyEvent } from '../../types.ts'
import { describesError, errorInAnswer } from './in-band-error.ts'
import { type Fields, fieldsOf, listIn, parseJson, wordIn } from './lenient.ts'
import { MalformedResponse } from './malformed.ts'
import {
  callFragments,
  OtherChoices,
  otherTextBytes,
  type RepairedCalls,
  repairedMessages,
  withCalls,
} from './openai-choices.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import { RepeatedChunk } from './repeated-chunk.ts'
import { finishOf, isFailedFinish, partOrError, type ReplyPart } from './reply-part.ts'
import { readStreamEvent } from './stream-event.ts'
import { ToolCallFragments } from './tool-call-fragments.ts'
import { upstreamError } from './upstream-error.ts'
import { countsIn, type ReportedUsage, withBilling } from './usage.ts'

const TEXT_PARTS: ReadonlySet<unknown> = new Set(['text', 'output_text', undefined, null])
/** Answers with these finish reasons may have no message at all (Gemini, vLLM). */
const ENDS_WITHOUT_MESSAGE: ReadonlySet<unknown> = new Set(['length', 'content_filter', 'tool_calls'])
/** Whether an event of that name holds a chunk; the protocol itself names none. */
const isOfAnswer = (name: string): boolean => name === '' || name === 'message'

const partText = (part: unknown): string => {
  if (typeof part === 'string') return part
  const fields = fieldsOf(part)
  if (!fields && part !== null) throw new MalformedResponse('a content part is not an object')
  return TEXT_PARTS.has(fields?.type) ? (wordIn(fields?.text) ?? '') : ''
}

/** Content as text. Mistral puts reasoning in parts too; only text parts belong to the answer. */
const contentText = (content: unknown): string => {
  if (content === undefined || content === null) return ''
  if (typeof content === 'string') return content
  if (Array.isArray(content)) return content.map(partText).join('')
  if (typeof fieldsOf(content)?.text === 'string') return partText(content)
  throw new MalformedResponse('content other than text')
}

const thinkingIn = (part: unknown): string => {
  const { type, thinking } = fieldsOf(part) ?? {}
  if (type !== 'thinking') return ''
  return Array.isArray(thinking) ? thinking.map(partText).join('') : (wordIn(thinking) ?? '')
}

/**
 * Reasoning has no place in the protocol; these are vendors' fields of it. Source: DeepSeek, vLLM; OpenRouter;
 * Mistral, "Reasoning", whose content has parts of it.
 */
const reasoningOf = ({ reasoning_content: named, reasoning, content }: Fields): string =>
  wordIn(named) ??
  wordIn(reasoning) ??
  (Array.isArray(content) && content.length > 0 ? content.map(thinkingIn).join('') : '')

/** What a message or a delta adds to an answer. */
const eventsOf = (message: Fields | undefined, calls: ToolCallFragments): ReplyEvent[] => {
  if (!message) return []
  const events: ReplyEvent[] = []
  const reasoning = reasoningOf(message)
  if (reasoning !== '') events.push({ type: 'reasoning-delta', text: reasoning })
  const text = contentText(message.content)
  if (text !== '') events.push({ type: 'text-delta', text })
  if (message.refusal !== undefined && message.refusal !== null) {
    const refusal = contentText(message.refusal)
    if (refusal !== '') events.push({ type: 'refusal-delta', text: refusal })
  }
  if (message.tool_calls !== undefined) events.push(...calls.read(message.tool_calls))
  return events
}

/** How an answer is read: of which vendor, under which id, and whether the messages themselves are passed on. */
export type ReadOptions = Readonly<{
  variant: OpenAiVariant
  replyId: string
  passesOn: boolean
  /** Masks secrets in the words of an error. */
  redact: (text: string) => string
}>

type WireMarks = Readonly<{ isUsage?: boolean; isContent?: boolean }>

const wireEvent = (json: string, { isUsage, isContent }: WireMarks = {}): ReplyEvent => ({
  type: 'wire',
  format: 'openai-chat',
  json: oneLine(json),
  ...(isUsage && { isUsage }),
  ...(isContent && { isContent }),
})

/** Members that describe content and are none themselves. */
const DESCRIBING: ReadonlySet<string> = new Set(['name', 'type', 'id', 'index', 'format', 'channel'])

/** The members of a message or a delta that are read, and those that are no content. */
const READ_MEMBERS: ReadonlySet<string> = new Set([
  ...DESCRIBING,
  'role',
  'content',
  'refusal',
  'reasoning_content',
  'reasoning',
  'tool_calls',
])

const isFilled = (value: unknown): boolean => {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && hasFilled(value, DESCRIBING)
}

const hasFilled = (fields: object, but: ReadonlySet<string>): boolean =>
  Object.entries(fields).some(([name, value]) => !but.has(name) && isFilled(value))

const isUnreadPart = (part: unknown): boolean => {
  const { type } = fieldsOf(part) ?? {}
  return !TEXT_PARTS.has(type) && type !== 'thinking'
}

/** Whether a delta has content that is not read: audio, images, a function call in the older form. */
const hasUnread = (delta: Fields): boolean =>
  hasFilled(delta, READ_MEMBERS) || (Array.isArray(delta.content) && delta.content.some(isUnreadPart))

const usageIn = (value: unknown, { reportedCostUsd }: OpenAiVariant): ReportedUsage | undefined => {
  const usage = fieldsOf(value)
  return usage && withBilling(countsIn(usage), { costUsd: reportedCostUsd?.(usage) })
}

const withTier = (usage: ReportedUsage | undefined, tier: unknown): ReportedUsage | undefined =>
  typeof tier === 'string' ? withBilling(usage ?? {}, { tier }) : usage

/** A field that is an object or absent. @throws MalformedResponse where it is anything else. */
const optionalFields = (value: unknown, name: string): Fields | undefined => {
  if (value === undefined || value === null) return undefined
  const fields = fieldsOf(value)
  if (!fields) throw new MalformedResponse(`${name} of an unknown type`)
  return fields
}

/** The choice of that index, or else the first one. Only one is requested; some vendors send several anyway. */
const choiceIn = ({ choices }: Fields, index: number): Fields | undefined => {
  if (choices === undefined || choices === null) return undefined
  if (!Array.isArray(choices)) throw new MalformedResponse('choices of an unknown type')
  const choice = choices.length > 1 ? choices.find(one => fieldsOf(one)?.index === index) : undefined
  return optionalFields(choice ?? choices[0], 'a choice')
}

/** The error in place of an answer: beside it, in its choice, or as its finish reason. */
const errorIn = (body: Fields, choice: Fields | undefined, vendorExtras?: unknown): unknown => {
  const beside = choice?.error ?? vendorExtras ?? undefined
  const named = errorInAnswer(body) ?? (describesError(beside) ? beside : undefined)
  const raw = wordIn(choice?.finish_reason)
  return named ?? (raw && isFailedFinish(raw) ? { code: raw } : undefined)
}

/** @param asWritten the completion's JSON, where it may pass on */
const partOf = (
  completion: Fields,
  asWritten: string | undefined,
  usage: ReportedUsage | undefined,
  { variant, replyId, redact }: ReadOptions,
): ReplyPart => {
  const choice = choiceIn(completion, 0)
  const error = errorIn(completion, choice)
  if (error !== undefined)
    return { error: upstreamError({ provider: variant.provider, body: error, redact }), usage }
  const message = optionalFields(choice?.message, 'a message')
  const raw = wordIn(choice?.finish_reason)
  // Null or empty means that the vendor gives no reason; without the field it may be a partial answer.
  if (choice && choice.finish_reason === undefined) throw new MalformedResponse('missing finish reason')
  const events = eventsOf(message, new ToolCallFragments(replyId, { isWhole: true }))
  const isEmpty = !events.some(({ type }) => type !== 'reasoning-delta')
  if (isEmpty && (!raw || (!message && !ENDS_WITHOUT_MESSAGE.has(finishOf(raw).reason))))
    throw new MalformedResponse('missing message')
  const wireOf = (json: string): ReplyEvent => {
    const repaired = repairedMessages(completion.choices, replyId)
    return wireEvent(repaired.size > 0 ? withCalls(json, 'message', repaired) : json)
  }
  return {
    events: asWritten === undefined ? events : [wireOf(asWritten), ...events],
    finish: raw ? finishOf(raw) : undefined,
    otherTextBytes:
      listIn(completion.choices).length < 2 ? undefined : otherTextBytes(completion.choices, choice, false),
    usage,
    end: true,
  }
}

/** A whole `chat.completion` as one part, so that it is handled like a stream of one piece. */
export const completionPart = (body: string, options: ReadOptions): ReplyPart => {
  const { variant, passesOn } = options
  const value = parseJson(body)
  const isList = Array.isArray(value)
  const completion = fieldsOf(isList ? value[0] : value)
  if (!completion) throw new MalformedResponse('not a JSON object')
  const usage = withTier(usageIn(completion.usage, variant), completion.service_tier)
  const asWritten = passesOn && !isList ? body : undefined
  return partOrError(variant.provider, usage, () => partOf(completion, asWritten, usage, options))
}

/** Reads the events of one streamed answer. */
export const chunkReader = ({
  variant,
  replyId,
  passesOn,
  redact,
}: ReadOptions): ((event: SseEvent) => ReplyPart) => {
  const { provider, vendorExtras: vendorExtrasOf } = variant
  let tier: unknown
  const calls = new ToolCallFragments(replyId)
  const repeated = new RepeatedChunk('content')
  const others = new OtherChoices(replyId)
  let index: number | undefined
  let hasContent = false

  /** The chunk's part of the choice that is read: the first to arrive. */
  const followedChoice = (chunk: Fields): Fields | undefined => {
    const choice = choiceIn(chunk, index ?? 0)
    if (typeof choice?.index !== 'number') return choice
    index ??= choice.index
    return choice.index === index ? choice : undefined
  }

  /** Relays that cannot stream send a whole answer as one event; others repeat the whole beside or after its deltas. */
  const eventsIn = (choice: Fields | undefined): ReplyEvent[] => {
    const message = choice?.delta ?? (hasContent ? undefined : choice?.message)
    const events = eventsOf(optionalFields(message, 'a delta'), calls)
    if (events.length > 0) hasContent = true
    return events
  }

  /** The tool calls of a chunk that came in another form than OpenAI's. */
  const repairedIn = (
    { choices }: Fields,
    choice: Fields | undefined,
    events: readonly ReplyEvent[],
    inOthers: RepairedCalls,
  ): RepairedCalls =>
    calls.isRepaired && Array.isArray(choices)
      ? new Map([...inOthers, [choices.indexOf(choice), callFragments(events)]])
      : inOthers

  /** The chunk as it came, or with its tool calls as they should have come. */
  const wireOf = (
    chunk: Fields,
    choice: Fields | undefined,
    json: string,
    events: readonly ReplyEvent[],
    inOthers: RepairedCalls,
  ): ReplyEvent => {
    const repaired = repairedIn(chunk, choice, events, inOthers)
    const isUsage = listIn(chunk.choices).length === 0 && fieldsOf(chunk.usage) !== undefined
    return wireEvent(repaired.size > 0 ? withCalls(json, 'delta', repaired) : json, {
      isUsage,
      isContent: events.length === 0 && hasUnread(fieldsOf(choice?.delta) ?? {}),
    })
  }

  /** The counts of a chunk, and the tier where it has changed: every chunk names it. */
  const usageOfChunk = (chunk: Fields, extras: unknown): ReportedUsage | undefined => {
    const usage = usageIn(chunk.usage, variant) ?? usageIn(extras, variant)
    const { service_tier: named } = chunk
    if (named === undefined || named === null || named === tier) return usage
    tier = named
    return withTier(usage, named)
  }

  const partOf = (events: readonly ReplyEvent[], wire: () => ReplyEvent) => ({
    events: passesOn ? [wire(), ...events] : events,
  })

  const parsed = (event: SseEvent): ReplyPart => {
    repeated.forget()
    const read = readStreamEvent(event, isOfAnswer)
    if (read.kind === 'ignored') return { ignored: true }
    if (read.kind === 'end')
      return { events: passesOn ? others.ends().map(json => wireEvent(json)) : undefined, end: true }
    if (read.kind === 'error') return { error: upstreamError({ provider, body: read.error, redact }) }
    const chunk = read.fields
    const vendorExtras = vendorExtrasOf?.(chunk)
    const choice = followedChoice(chunk)
    const usage = usageOfChunk(chunk, vendorExtras?.usage)
    const error = errorIn(chunk, choice, vendorExtras?.error)
    if (error !== undefined) return { error: upstreamError({ provider, body: error, redact }), usage }
    const raw = wordIn(choice?.finish_reason)
    calls.isRepaired = false
    const otherBytes = otherTextBytes(chunk.choices, choice, hasContent)
    const inOthers = others.read(chunk.choices, choice, event.data)
    const events = eventsIn(choice)
    const [first] = events
    const isTextAlone = events.length === 1 && first?.type === 'text-delta' && otherBytes === 0
    if (choice?.delta && isTextAlone && !raw && !usage) repeated.learn(event, first.text)
    return {
      ...partOf(events, () => wireOf(chunk, choice, event.data, events, inOthers)),
      finish: raw ? finishOf(raw) : undefined,
      areOthersOpen: others.areOpen,
      otherTextBytes: otherBytes,
      usage,
      ignored: chunk.choices === undefined && chunk.usage === undefined ? true : undefined,
    }
  }

  return event => {
    const text = repeated.textOf(event)
    return text === undefined
      ? parsed(event)
      : partOf([{ type: 'text-delta', text }], () => wireEvent(event.data))
  }
}
