import type { Clock } from '../../../clock.ts'
import type { Handler } from '../../../compose.ts'
import type { GatewayError } from '../../../errors.ts'
import type { Call, EventGroup, Reply, ReplyEvent } from '../../../llm/types.ts'
import { pacedBody } from '../../paced-body.ts'
import { type BodyEnd, piecesWithEnd } from '../../pieces.ts'
import { costHeaders, type RouteResponse } from '../../route-response.ts'
import { eventStream } from '../../sse.ts'
import { openAiErrorBody } from '../openai-error.ts'
import type { FormCall } from './request.ts'

export type PassthroughResponseOptions = Readonly<{ clock: Clock; abort: (reason: GatewayError) => void }>

type Events = AsyncIterator<EventGroup>
type ErrorEvent = Extract<ReplyEvent, { type: 'error' }>

const USUAL_TYPE = 'application/octet-stream'
const JSON_TYPE = 'application/json'

const errorFrame = ({ error }: ErrorEvent): string => `data: ${JSON.stringify(openAiErrorBody(error))}\n\n`

/** The pieces of a body. A failure is sent as an event where the body is a stream of events, and thrown elsewhere. */
async function* piecesOf(
  first: EventGroup,
  rest: Events,
  isEvents: boolean,
  onEnd: (end: BodyEnd) => void,
): AsyncGenerator<string | Uint8Array> {
  try {
    for (let group: EventGroup | undefined = first; group; ) {
      for (const event of group) {
        if (event.type === 'body-bytes') yield event.bytes
        else if (event.type === 'body-text') yield event.text
        else if (event.type === 'error') {
          onEnd('failed')
          if (event.isSent) continue
          if (!isEvents) throw event.error
          yield errorFrame(event)
        }
      }
      const step: IteratorResult<EventGroup> = await rest.next()
      group = step.done ? undefined : step.value
    }
  } finally {
    await rest.return?.()
  }
}

const whole = async (reply: Reply, text: string, rest: Events, type: string): Promise<RouteResponse> => {
  // Read to its end, so that observers of the reply see it.
  for (let step = await rest.next(); !step.done; step = await rest.next());
  return { text: { type, body: text }, headers: costHeaders(await reply.usage) }
}

/** A reply to a call for an endpoint beside chat: the upstream's body, with its content type. */
export const passthroughResponse = async (
  reply: Reply,
  { clock, abort }: PassthroughResponseOptions,
): Promise<RouteResponse> => {
  const { mediaType } = reply.head
  const events = reply.events[Symbol.asyncIterator]()
  const step = await events.next()
  const first: EventGroup = step.done ? [] : step.value
  const [event] = first
  if (event?.type === 'body-text') return whole(reply, event.text, events, mediaType ?? JSON_TYPE)
  if (event?.type === 'error') throw event.error
  const isEvents = /^text\/event-stream\b/i.test(mediaType ?? '')
  const pieces = piecesWithEnd(onEnd => piecesOf(first, events, isEvents, onEnd), { reportsEndAhead: false })
  const body = isEvents ? eventStream(pieces, { clock, abort }) : pacedBody(pieces, { clock, abort })
  return { ...body, headers: { 'content-type': mediaType ?? USUAL_TYPE } }
}

/**
 * The response to a form. Its files are removed once it has ended, in whatever way.
 * @param answer answers its call
 */
export const formResponse = async (
  { call, dispose }: FormCall,
  answer: Handler<Call, Reply>,
  options: PassthroughResponseOptions,
): Promise<RouteResponse> => {
  try {
    const response = await passthroughResponse(await answer(call), options)
    if (response.ended) void response.ended.then(dispose)
    else await dispose()
    return response
  } catch (error) {
    await dispose()
    throw error
  }
}
