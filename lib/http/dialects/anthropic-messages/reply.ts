import type { Clock } from '../../../clock.ts'
import type { GatewayError } from '../../../errors.ts'
import { answerOf, collectEvents, type Finish, unfinished } from '../../../llm/events.ts'
import type { Call, Reply, ReplyEvent, Usage } from '../../../llm/types.ts'
import { costHeaders, type RouteResponse } from '../../route-response.ts'
import { eventStream, sseEvent } from '../../sse.ts'
import { type FrameWriter, framesOf } from '../frames.ts'
import { openAiStatus } from '../openai-error.ts'
import { BlockWriter, toolsWithoutArguments } from './block-writer.ts'
import { anthropicErrorBody } from './error.ts'
import { contentBlocks, messageHead, messageUsage, stopReasonOf, usageBody } from './message.ts'

type WireEvent = Extract<ReplyEvent, { type: 'wire' }>

const isWire = (event: ReplyEvent): event is WireEvent =>
  event.type === 'wire' && event.format === 'anthropic-messages'

const whole = async (reply: Reply): Promise<RouteResponse> => {
  const events = await collectEvents(reply)
  const wire = events.find(isWire)
  const usage = await reply.usage
  const headers = costHeaders(usage)
  if (wire) return { text: { type: 'application/json; charset=utf-8', body: wire.json }, headers }
  const answer = answerOf(events)
  if (!answer) throw unfinished()
  return {
    json: {
      ...messageHead(reply),
      content: contentBlocks(events, answer),
      stop_reason: stopReasonOf(answer.finish.reason, answer.toolCalls.length > 0),
      stop_sequence: null,
      usage: messageUsage(usage),
    },
    headers,
  }
}

const NOTHING_YET: Usage = { inputTokens: 0, outputTokens: 0 }

/** The first event, and a ping as Anthropic sends it. The usage comes at the end. */
const messageStart = (reply: Reply): string => {
  const message = {
    ...messageHead(reply),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: messageUsage(NOTHING_YET),
  }
  return sseEvent('message_start', { type: 'message_start', message }) + sseEvent('ping', { type: 'ping' })
}

/** A reply's events as those of a message. They come from the upstream as they are where it has the same format. */
class MessageWriter implements FrameWriter {
  readonly #reply: Reply
  readonly #requestId: string
  readonly #blocks: BlockWriter
  #hasStarted = false
  #isPassing = false
  #hasReason = false
  #hasStopped = false

  constructor(reply: Reply, { requestId, parameters }: Call) {
    this.#reply = reply
    this.#requestId = requestId
    this.#blocks = new BlockWriter(toolsWithoutArguments(parameters?.tools))
  }

  write(event: ReplyEvent): string {
    if (isWire(event)) return this.#passed(event)
    return this.#isPassing ? '' : this.#start() + this.#blocks.write(event)
  }

  end({ reason }: Finish, usage: Usage): string {
    const blocks = this.#isPassing ? '' : this.#start() + this.#blocks.end()
    const delta = { stop_reason: stopReasonOf(reason, this.#blocks.callsTools), stop_sequence: null }
    const last = this.#hasReason
      ? ''
      : sseEvent('message_delta', { type: 'message_delta', delta, usage: usageBody(usage) })
    return blocks + (this.#hasStopped ? '' : last + sseEvent('message_stop', { type: 'message_stop' }))
  }

  fail(error: GatewayError): string {
    return sseEvent('error', anthropicErrorBody(error, openAiStatus(error), this.#requestId))
  }

  #passed({ event = 'message', json }: WireEvent): string {
    this.#isPassing = true
    if (event === 'message_delta') this.#hasReason = true
    if (event === 'message_stop') this.#hasStopped = true
    return `event: ${event}\ndata: ${json}\n\n`
  }

  #start(): string {
    if (this.#hasStarted) return ''
    this.#hasStarted = true
    return messageStart(this.#reply)
  }
}

export type MessageOptions = Readonly<{ clock: Clock; abort: (reason: GatewayError) => void }>

/** A reply as Anthropic's message, or as its events for a call that wants a stream. */
export const messageResponse = async (
  call: Call,
  reply: Reply,
  options: MessageOptions,
): Promise<RouteResponse> =>
  call.stream ? eventStream(framesOf(reply, new MessageWriter(reply, call)), options) : whole(reply)
