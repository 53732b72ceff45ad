import { STATUS_CODES } from 'node:http'

/** What a route answers with, before the headers that every answer has. */
export type RouteResponse = Readonly<{
  /** 200 when absent. */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** A value to send as JSON; with `body` absent too, the answer is empty. */
  json?: unknown
  /** A body of another kind, with its content type. */
  text?: Readonly<{ type: string; body: string }>
  /** A body that is written as it comes. */
  stream?: ReadableStream<Uint8Array>
  /** When a streamed answer has ended, however it ended. */
  ended?: Promise<void>
}>

type ResponseConstructor = new (body: BodyInit | null, init: ResponseInit) => Response

let ResponseClass: ResponseConstructor = Response

/** Lets a host that has a faster `Response` than the platform's put it in place, once and at start. */
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

const jsonOf = ({ json }: RouteResponse): string | null => (json === undefined ? null : JSON.stringify(json))

/** The answer as a web Response, with `headers` for those it does not set itself. */
export const toResponse = (response: RouteResponse, headers: Readonly<Record<string, string>>): Response => {
  const status = response.status ?? 200
  const body = response.stream ?? response.text?.body ?? jsonOf(response)
  return new ResponseClass(body, {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: { ...headers, ...typeOf(response), ...response.headers },
  })
}
