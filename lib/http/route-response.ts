import { STATUS_CODES } from 'node:http'

/** Observes a body while it is sent. */
export type BodyObserver = Readonly<{
  /** Called with each piece before it is sent. */
  onPiece: (piece: Uint8Array) => void
  /** Called where the body is complete, before its end is sent: that waits. Not called for one that fails or is cut. */
  onComplete: () => Promise<void>
}>

/** A route's response, without the headers that every response has. */
export type RouteResponse = Readonly<{
  /** 200 when absent. */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** A value to send as JSON; with `body` absent too, the response is empty. */
  json?: unknown
  /** A body of another kind, with its content type. */
  text?: Readonly<{ type: string; body: string }>
  /** A body that is written as it is produced. */
  stream?: ReadableStream<Uint8Array>
  /** Settles when a streamed response has ended, in whatever way. */
  ended?: Promise<void>
  /** Observes a streamed body. Called before it is read; settles when the body has ended, in whatever way. */
  observe?: (observer: BodyObserver) => Promise<void>
}>

export type ResponseHead = Readonly<{
  status: number
  statusText: string
  headers: Readonly<Record<string, string>>
}>
type ResponseConstructor = new (body: BodyInit | null, head: ResponseHead) => Response

let ResponseClass: ResponseConstructor = Response

/** Lets a server with a faster `Response` than the platform's install it, once at start. */
export const buildResponsesWith = (faster: ResponseConstructor): void => {
  ResponseClass = faster
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }

const typeOf = ({ stream, text, json }: RouteResponse): Readonly<Record<string, string>> => {
  if (stream) return EVENT_STREAM
  if (text) return { 'content-type': text.type }
  return json === undefined ? {} : JSON_TYPE
}

/** The text of a response that is not streamed, and its content type; both undefined where it is empty. */
export const bodyOf = (response: RouteResponse) => ({
  type: typeOf(response)['content-type'],
  text: response.text?.body ?? jsonOf(response) ?? undefined,
})

/** The same response, its JSON as text. */
export const withTextBody = (response: RouteResponse): RouteResponse => {
  const { json, ...others } = response
  const { type, text } = bodyOf(response)
  return type === undefined || text === undefined ? others : { ...others, text: { type, body: text } }
}

const jsonOf = ({ json }: RouteResponse): string | null => (json === undefined ? null : JSON.stringify(json))

/** The response as a web Response, with `headers` for those it does not set itself. */
export const toResponse = (response: RouteResponse, headers: Readonly<Record<string, string>>): Response => {
  const status = response.status ?? 200
  const body = response.stream ?? response.text?.body ?? jsonOf(response)
  return new ResponseClass(body, {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: { ...headers, ...typeOf(response), ...response.headers },
  })
}
