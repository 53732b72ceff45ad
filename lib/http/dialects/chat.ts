import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { Call, Message, Reply, ReplyEvent, Usage } from '../../llm/types.ts'
import type { ChatBody } from '../../validation/chat.ts'
import type { Visit } from '../../visit.ts'
import type { Answer } from '../answer.ts'
import { errorBody } from '../error-answer.ts'
import { eventStream, sseEvent } from '../sse.ts'

export type ChatDefaults = Readonly<{ model: string; maxResponseBytes: number; requestTimeoutMs: number }>

type Finish = Extract<ReplyEvent, { type: 'finish' }>

const messagesOf = ({ prompt, messages }: ChatBody): readonly Message[] =>
  messages ?? [{ role: 'user', content: prompt ?? '' }]

/** The body of `POST /api/chat` as a call. */
export const chatCall = (
  visit: Visit,
  body: ChatBody,
  defaults: ChatDefaults,
  cacheTags?: Call['cacheTags'],
): Call => ({
  ...visit,
  messages: messagesOf(body),
  model: body.model ?? defaults.model,
  stream: body.stream,
  temperature: body.temperature,
  maxOutputTokens: body.maxTokens,
  deadlineAt: visit.startedAt + defaults.requestTimeoutMs,
  maxResponseBytes: defaults.maxResponseBytes,
  cache: body.cache,
  cacheTags,
  fallback: body.fallback,
  plan: [],
})

const opening = (visit: Visit, { head }: Reply) => ({
  id: head.id,
  requestId: visit.requestId,
  model: head.target.name,
  provider: head.target.provider,
})

const publicUsage = ({ costUsd: _, ...tokens }: Usage) => tokens

/** What of the call was not honoured, and what was learned of the answer at its end. */
const warningsOf = ({ head }: Reply, finish: Finish) => {
  const warnings = [...(head.warnings ?? []), ...(finish.warnings ?? [])]
  return warnings.length > 0 && { warnings }
}

const closing = (visit: Visit, reply: Reply, finish: Finish, usage: Usage, now: number) => ({
  finishReason: finish.reason,
  truncated: finish.truncated ?? false,
  usage: publicUsage(usage),
  costUsd: usage.costUsd ?? null,
  cache: reply.head.cache,
  ...warningsOf(reply, finish),
  latencyMs: Math.round(now - visit.startedAt),
})

const unfinished = (): GatewayError => new GatewayError('PROVIDER_ERROR', 'The answer ended without an end.')

/** Without an exponent, which few who read headers expect. */
const decimal = (usd: number): string => {
  const shortest = String(usd)
  return shortest.includes('e') ? usd.toFixed(12).replace(/\.?0+$/, '') : shortest
}

const json = async (visit: Visit, reply: Reply, clock: Clock): Promise<Answer> => {
  let content = ''
  let finish: Finish | undefined
  for await (const batch of reply.events) {
    for (const event of batch) {
      if (event.type === 'error') throw event.error
      if (event.type === 'text-delta') content += event.text
      else finish = event
    }
  }
  if (!finish) throw unfinished()
  const usage = await reply.usage
  return {
    json: { ...opening(visit, reply), content, ...closing(visit, reply, finish, usage, clock.now()) },
    headers: usage.costUsd === undefined ? {} : { 'x-gateway-cost-usd': decimal(usage.costUsd) },
  }
}

/** A reply as the frames of an event stream. */
export async function* frames(visit: Visit, reply: Reply, clock: Clock): AsyncGenerator<string> {
  const start = opening(visit, reply)
  let pending = sseEvent('start', { ...start, cache: reply.head.cache })
  let finish: Finish | undefined
  let error: GatewayError | undefined
  for await (const batch of reply.events) {
    for (const event of batch) {
      if (event.type === 'text-delta') pending += sseEvent('delta', { text: event.text })
      else if (event.type === 'finish') finish = event
      else error = event.error
    }
    // What comes with the finish is written together with the end.
    if (finish || pending === '') continue
    yield pending
    pending = ''
  }
  if (finish && !error) {
    const usage = await reply.usage
    yield pending + sseEvent('done', { ...start, ...closing(visit, reply, finish, usage, clock.now()) })
  } else yield pending + sseEvent('error', errorBody(error ?? unfinished(), visit.requestId))
}

/** A reply in the native dialect: JSON, or server-sent events for a call that wants a stream. */
export const chatAnswer = async (
  call: Call,
  reply: Reply,
  clock: Clock,
  abandon: (reason: GatewayError) => void,
): Promise<Answer> =>
  call.stream ? eventStream(frames(call, reply, clock), { clock, abandon }) : json(call, reply, clock)
