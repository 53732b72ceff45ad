import type { Clock } from '../../../clock.ts'
import type { GatewayError } from '../../../errors.ts'
import { collectEvents, type Finish, unfinished } from '../../../llm/events.ts'
import type { Reply, Usage } from '../../../llm/types.ts'
import { memberOf } from '../../../raw-json.ts'
import { costHeaders, type RouteResponse } from '../../route-response.ts'
import { eventStream } from '../../sse.ts'
import { type FrameWriter, framesOf } from '../frames.ts'
import { isStreamed, isWire, PassedResponse, WrittenResponse, wholeOf } from './event-writer.ts'
import type { ResponsesRequest } from './request.ts'
import { ResponseObject } from './response-object.ts'

/** A complete answer, to be kept for later requests. */
export type KeptAnswer = Readonly<{
  id: string
  previousId: string | undefined
  /** The provider that knows it under the same id. */
  provider: string | undefined
  /** JSON of the request's items. */
  input: string
  /** JSON of the answer. */
  response: string
  contextIds: readonly string[]
}>

export type ResponsesReplyOptions = Readonly<{
  clock: Clock
  abort: (reason: GatewayError) => void
  /** Whether answers of this caller are kept at all. */
  keepsAnswers: boolean
  /** Keeps an answer. Resolves with whether it is kept, and never rejects. */
  keep: (answer: KeptAnswer) => Promise<boolean>
}>

const NOT_KEPT = { 'x-gateway-stored': 'false' }

/** One answer to a request, and what is kept of it. */
class Answering {
  readonly #request: ResponsesRequest
  readonly #reply: Reply
  readonly #options: ResponsesReplyOptions
  readonly #isKept: boolean

  constructor(request: ResponsesRequest, reply: Reply, options: ResponsesReplyOptions) {
    this.#request = request
    this.#reply = reply
    this.#options = options
    this.#isKept = options.keepsAnswers && request.body.store !== false
  }

  written(): WrittenResponse {
    const { clock } = this.#options
    return new WrittenResponse(
      this.#reply,
      new ResponseObject(this.#reply, this.#request.body, clock.now(), this.#isKept),
    )
  }

  /** Keeps an answer that the gateway has written, and returns it as it is then. */
  async keepWritten(id: string, response: object): Promise<object> {
    if (await this.#keep(id, JSON.stringify(response), undefined)) return response
    return { ...response, store: false }
  }

  /** Keeps an answer that its provider wrote. */
  keepPassed(response: string | undefined): Promise<boolean> {
    const id = response && memberOf(response, 'id')
    if (!response || !id?.startsWith('"')) return Promise.resolve(false)
    return this.#keep(JSON.parse(id), response, this.#reply.head.target.provider)
  }

  get isKept(): boolean {
    return this.#isKept
  }

  async #keep(id: string, response: string, provider: string | undefined): Promise<boolean> {
    if (!this.#isKept) return false
    const { body, input, context } = this.#request
    return this.#options.keep({
      id,
      previousId: body.previous_response_id,
      provider,
      input,
      response,
      contextIds: context.responseIds,
    })
  }
}

const whole = async (reply: Reply, answering: Answering): Promise<RouteResponse> => {
  const events = await collectEvents(reply)
  const usage = await reply.usage
  const cost = costHeaders(usage)
  const passed = wholeOf(events)
  if (passed !== undefined) {
    const isKept = await answering.keepPassed(passed)
    return {
      text: { type: 'application/json; charset=utf-8', body: passed },
      headers: answering.isKept && !isKept ? { ...cost, ...NOT_KEPT } : cost,
    }
  }
  const finish = events.find(event => event.type === 'finish')
  if (!finish) throw unfinished()
  const written = answering.written()
  const response = written.whole(events, finish, usage)
  const kept = await answering.keepWritten(written.id, response)
  const isLost = answering.isKept && kept !== response
  return { json: kept, headers: isLost ? { ...cost, ...NOT_KEPT } : cost }
}

/** Writes a stream's frames, in one of two ways: as they come from the upstream, or made of the events. */
class ResponseWriter implements FrameWriter {
  readonly #answering: Answering
  #passed: PassedResponse | undefined
  #written: WrittenResponse | undefined

  constructor(answering: Answering) {
    this.#answering = answering
  }

  write(event: Parameters<WrittenResponse['write']>[0]): string {
    if (isWire(event)) {
      // A whole answer where a stream was wanted: its events are made here.
      if (!isStreamed(event)) return ''
      this.#passed ??= new PassedResponse()
      return this.#passed.write(event)
    }
    return this.#passed ? '' : this.#writing.write(event)
  }

  /** What is to be kept is kept before. */
  async end(finish: Finish, usage: Usage): Promise<string> {
    if (this.#passed) return this.#endPassed(this.#passed)
    const written = this.#writing
    const { frames, response } = written.end(finish, usage)
    return frames + written.ended(await this.#answering.keepWritten(written.id, response))
  }

  fail(error: GatewayError): string {
    return (this.#passed ?? this.#writing).fail(error)
  }

  async #endPassed(passed: PassedResponse): Promise<string> {
    const { end } = passed
    if (!end) return this.fail(unfinished())
    await this.#answering.keepPassed(memberOf(end.json, 'response'))
    return passed.frame(end)
  }

  get #writing(): WrittenResponse {
    this.#written ??= this.#answering.written()
    return this.#written
  }
}

/** A reply as OpenAI's response object, or as its events for a call that wants a stream. */
export const responsesResponse = async (
  request: ResponsesRequest,
  reply: Reply,
  options: ResponsesReplyOptions,
): Promise<RouteResponse> => {
  const answering = new Answering(request, reply, options)
  return request.call.stream
    ? eventStream(framesOf(reply, new ResponseWriter(answering)), options)
    : whole(reply, answering)
}
