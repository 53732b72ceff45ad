import { STATUS_CODES } from 'node:http'

/** What a route answers with, before the headers that every answer has. */
export type Answer = Readonly<{
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

const typeOf = ({ stream, text, json }: Answer): Readonly<Record<string, string>> => {
  if (stream) return EVENT_STREAM
  if (text) return { 'content-type': text.type }
  return json === undefined ? {} : JSON_TYPE
}

const jsonOf = ({ json }: Answer): string | null => (json === undefined ? null : JSON.stringify(json))

/** The answer as a web Response, with `headers` for those it does not set itself. */
export const toResponse = (answer: Answer, headers: Readonly<Record<string, string>>): Response => {
  const status = answer.status ?? 200
  const body = answer.stream ?? answer.text?.body ?? jsonOf(answer)
  return new ResponseClass(body, {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: { ...headers, ...typeOf(answer), ...answer.headers },
  })
}
