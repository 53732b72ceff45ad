import type { GatewayError } from '../../../errors.ts'
import type { Finish } from '../../../llm/events.ts'
import type { Reply, ReplyEvent, Usage } from '../../../llm/types.ts'
import { memberOf, withInnerMember } from '../../../raw-json.ts'
import { sseEvent } from '../../sse.ts'
import { openAiErrorBody } from '../openai-error.ts'
import { type ItemEvent, OutputItems } from './output-items.ts'
import { ownIdOf, type ResponseObject } from './response-object.ts'

export type WireEvent = Extract<ReplyEvent, { type: 'wire' }>

/** The events with the whole response. */
const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete'])

export const isWire = (event: ReplyEvent): event is WireEvent =>
  event.type === 'wire' && event.format === 'openai-responses'

/** An event of a stream, and not a whole answer. */
export const isStreamed = (event: WireEvent): boolean => event.event !== undefined

/** JSON of the whole response among events of an upstream of the same format, which may have streamed it unasked. */
export const wholeOf = (events: readonly ReplyEvent[]): string | undefined => {
  const wires = events.filter(isWire)
  const whole = wires.find(event => !isStreamed(event))
  if (whole) return whole.json
  const end = wires.find(({ event = '' }) => ENDS.has(event))
  return end && memberOf(end.json, 'response')
}

/** How a reply's end is written: `usage` and `reason` belong to the response. */
const endOf = ({ reason }: Finish, isRefused: boolean) => {
  if (reason === 'length') return { status: 'incomplete', reason: 'max_output_tokens' } as const
  if (reason === 'content_filter' && !isRefused)
    return { status: 'incomplete', reason: 'content_filter' } as const
  return { status: 'completed' } as const
}

const FAILED = 'response.failed'

/**
 * An error as a failed response has it, in the words of its event. Codes of the gateway alone become OpenAI's, of which
 * its clients know a closed list. Source: "ResponseErrorCode" in OpenAI's specification.
 */
const failureOf = (error: GatewayError) => {
  const { message, code } = openAiErrorBody(error).error
  if (error.code === 'PROVIDER_RATE_LIMIT') return { code: 'rate_limit_exceeded', message }
  const isOurs = code === null || code === error.code.toLowerCase()
  return { code: isOurs ? 'server_error' : code, message }
}

/** Whether it is about the gateway's own access to the upstream and its rate there, which no client can change. */
const isOurs = ({ code, refused }: GatewayError): boolean =>
  refused === 'access' || code === 'PROVIDER_RATE_LIMIT'

/**
 * The error event, and the response that failed by it. Source: OpenAI, "Streaming events"; its servers nest the error's
 * members as well, and its clients read either form.
 */
const failing = (error: GatewayError, response: object | undefined, first: number): string => {
  const { error: body } = openAiErrorBody(error)
  const { message, param, code } = body
  const event = sseEvent('error', {
    type: 'error',
    sequence_number: first,
    code,
    message,
    param,
    error: body,
  })
  return response ? event + sseEvent(FAILED, { type: FAILED, sequence_number: first + 1, response }) : event
}

/** Writes a response that the gateway makes of a reply's events. */
export class WrittenResponse {
  readonly #response: ResponseObject
  readonly #items: OutputItems
  #number = 0
  #isRefused = false

  constructor(reply: Reply, response: ResponseObject) {
    this.#response = response
    this.#items = new OutputItems(ownIdOf(reply))
  }

  get id(): string {
    return this.#response.id
  }

  /** The frames of some events. */
  write(event: ReplyEvent): string {
    const events = this.#add(event)
    return events.length === 0 ? '' : this.#begun() + this.#frames(events)
  }

  /** Ends the items: their last frames, and the whole response. */
  end(finish: Finish, usage: Usage): Readonly<{ frames: string; response: object }> {
    const { events, response } = this.#ended(finish, usage)
    return { frames: this.#begun() + this.#frames(events), response }
  }

  /** The whole response that events make, where no frame of it is sent. */
  whole(events: readonly ReplyEvent[], finish: Finish, usage: Usage): object {
    for (const event of events) this.#add(event)
    return this.#ended(finish, usage).response
  }

  /** The last frame of a whole response. */
  ended(response: object): string {
    const { status } = response as { status: string }
    return this.#frames([{ type: `response.${status}`, response }])
  }

  fail(error: GatewayError): string {
    const { output } = this.#items
    const response = this.#response.in({ status: 'failed', output, error: failureOf(error) })
    return this.#begun() + failing(error, response, this.#number)
  }

  #add(event: ReplyEvent): readonly ItemEvent[] {
    if (event.type === 'refusal-delta') this.#isRefused = true
    return this.#items.add(event)
  }

  #ended(finish: Finish, usage: Usage): Readonly<{ events: readonly ItemEvent[]; response: object }> {
    const end = endOf(finish, this.#isRefused)
    const events = this.#items.end(end.status)
    return { events, response: this.#response.in({ ...end, output: this.#items.output, usage }) }
  }

  #begun(): string {
    if (this.#number > 0) return ''
    const response = this.#response.in({ status: 'in_progress', output: [] })
    return this.#frames([
      { type: 'response.created', response },
      { type: 'response.in_progress', response },
    ])
  }

  #frames(events: readonly ItemEvent[]): string {
    return events
      .map(({ type, ...members }) => sseEvent(type, { type, sequence_number: this.#number++, ...members }))
      .join('')
  }
}

/** Writes the events of an upstream of the same format as they come. */
export class PassedResponse {
  #created: string | undefined
  #last: string | undefined
  #failed: WireEvent | undefined
  /** The event with the whole response, which is written last. */
  end: WireEvent | undefined

  write(event: WireEvent): string {
    const name = event.event ?? ''
    if (name === 'response.created') this.#created = event.json
    this.#last = event.json
    if (name === FAILED) this.#failed = event
    else if (ENDS.has(name)) this.end = event
    else return this.frame(event)
    return ''
  }

  frame({ event, json }: WireEvent): string {
    return event ? `event: ${event}\ndata: ${json}\n\n` : `data: ${json}\n\n`
  }

  /** The upstream's own event of the failure, or else those that are made here. */
  fail(error: GatewayError): string {
    if (this.#failed) return this.#passedFailure(this.#failed, error)
    const last = Number(this.#last && memberOf(this.#last, 'sequence_number'))
    const first = Number.isSafeInteger(last) ? last + 1 : 0
    const created = this.#created && memberOf(this.#created, 'response')
    const response = created && { ...JSON.parse(created), status: 'failed', error: failureOf(error) }
    return failing(error, response || undefined, first)
  }

  #passedFailure(event: WireEvent, error: GatewayError): string {
    if (!isOurs(error)) return this.frame(event)
    const ours = JSON.stringify(failureOf(error))
    const json = withInnerMember(event.json, 'response', 'error', () => ours)
    return this.frame({ ...event, json })
  }
}
