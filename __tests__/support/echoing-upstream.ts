import type { ServerResponse } from 'node:http'
import { WRITTEN } from './canaries.ts'
import { type Behaviour, chunk, sse } from './upstream-behaviour.ts'

const STATUSES = [400, 401, 403, 404, 409, 422, 429, 500, 503, 529] as const
const FINAL_STATUSES = [400, 401, 403, 404, 422] as const
/** How many of the first `PLACES` are JSON errors of HTTP. */
const FINAL_PLACES = 8
type Place = (response: ServerResponse, status: number, secret: string) => void

const json = (response: ServerResponse, status: number, body: unknown): void =>
  void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

const usual = { message: 'No.', type: 'fake_error', param: null, code: null }
const begin = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const [text] = ['Hello']
  // A chunk of chat, and of a completion.
  response.write(
    sse({ ...chunk({ content: text }), choices: [{ index: 0, text, delta: { content: text } }] }),
  )
}

/** Only time keeps the parts apart in what the gateway reads: that it has read one has no signal. */
const APART_MS = 2

/** Writes so that each part comes as a piece of its own. */
const inParts = (response: ServerResponse, parts: readonly string[]): void => {
  const [part, ...rest] = parts
  if (part === undefined) return void response.end()
  response.write(part, () => setTimeout(() => inParts(response, rest), APART_MS))
}
const halves = (text: string): readonly string[] => [
  text.slice(0, text.length / 2),
  text.slice(text.length / 2),
]

/** Where an upstream's failure may repeat a credential. */
const PLACES: readonly Place[] = [
  ...(['message', 'type', 'param', 'code'] as const).map(
    (member): Place =>
      (response, status, secret) =>
        json(response, status, { error: { ...usual, [member]: `bad key ${secret} given` } }),
  ),
  // Longer than what is kept of a code, so that the secret is cut.
  (response, status, secret) =>
    json(response, status, { error: { ...usual, code: `${'x'.repeat(80)}${secret}` } }),
  (response, status, secret) =>
    json(response, status, { type: 'error', error: { type: 'bad', message: `x-api-key: ${secret}` } }),
  (response, status, secret) =>
    json(response, status, { detail: [{ loc: ['header', secret], msg: secret }] }),
  (response, status, secret) => json(response, status, [{ error: { status: secret, message: secret } }]),
  (response, status, secret) =>
    void response
      .writeHead(status, { 'content-type': 'text/html' })
      .end(`<html><title>${status} ${secret}</title><pre>${secret}</pre></html>`),
  (response, status, secret) => void response.writeHead(status).end(`Authorization: Bearer ${secret}`),
  (response, status, secret) => {
    const headers = { 'x-request-id': secret, 'request-id': secret, 'www-authenticate': `Bearer ${secret}` }
    response.writeHead(status, headers).end()
  },
  (response, status, secret) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(`{"error": ${secret}`),
  (response, status, secret) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    inParts(response, halves(JSON.stringify({ error: { ...usual, message: `bad ${secret}` } })))
  },
  // In a successful response: whole, before the first content and after it, in parts, and in nonsense.
  (response, _status, secret) => json(response, 200, { error: { ...usual, message: secret, code: secret } }),
  (response, _status, secret) =>
    void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(
      sse({
        error: { ...usual, message: secret, code: secret, type: secret },
      }),
    ),
  (response, _status, secret) => {
    begin(response)
    response.end(sse({ error: { ...usual, message: secret, code: secret, type: secret } }))
  },
  (response, _status, secret) => {
    begin(response)
    inParts(response, halves(`event: error\n${sse({ error: { ...usual, message: secret } })}`))
  },
  (response, _status, secret) => {
    begin(response)
    inParts(response, halves(`event: error\ndata: ${secret.replaceAll('\n', '')} is wrong\n\n`))
  },
  (response, _status, secret) => {
    begin(response)
    response.end(`data: {"choices": ${secret}\n\n`)
  },
  (response, _status, secret) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(secret),
  (response, _status, secret) =>
    void response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': secret.slice(0, 8) })
      .end(secret),
  (response, _status, secret) =>
    void response.writeHead(200, { 'content-type': secret.replaceAll(/["\\]/g, '') }).end('{'),
  // After which the connection breaks.
  (response, _status, secret) => {
    begin(response)
    response.write(`data: {"error": {"message": "${secret}`, () => response.socket?.resetAndDestroy())
  },
]

/** What an upstream may be sent as the key, in the headers of any vendor. */
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const

/** The number of different failures that repeat the key of their call. */
export const ECHOES = PLACES.length * Object.keys(WRITTEN).length

/**
 * One failure after the other that repeats the key it was called with; each written in another way.
 *
 * @param final only such as are not retried
 */
export const echoesKeys = ({ final = false } = {}): Behaviour => {
  let calls = 0
  const places = final ? PLACES.slice(0, FINAL_PLACES) : PLACES
  const statuses = final ? FINAL_STATUSES : STATUSES
  const ways = Object.values(WRITTEN)
  return (response, asked) => {
    const place = places[calls % places.length]
    const written = ways[Math.floor(calls / places.length) % ways.length]
    const status = statuses[calls % statuses.length] ?? 500
    calls += 1
    const sent = CREDENTIALS.map(name => response.req.headers[name]).find(value => value !== undefined)
    const key = String(sent).replace(/^Bearer /, '')
    place?.(response, status, written?.(key) ?? asked.model)
  }
}
