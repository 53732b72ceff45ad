import type { IncomingMessage } from 'node:http'

const SLOT = Symbol.for('parley.unknown-method-header')
type Slot = { [SLOT]?: string }
const slot = globalThis as Slot

/**
 * Leads a request whose method no route has to its route as OPTIONS, so that the route itself can refuse it with the
 * list of its methods. The sent method goes along in a header whose name is random for each process, so that no client
 * can send it: neither Next's router nor a web Request takes every method of HTTP.
 */
export const sendAsOptions = (request: IncomingMessage): void => {
  slot[SLOT] ??= `x-method-${crypto.randomUUID()}`
  request.headers[slot[SLOT]] = request.method
  request.rawHeaders.push(slot[SLOT], request.method ?? '')
  request.method = 'OPTIONS'
}

/** The method that a request was sent with, where it is one that no route has. */
export const unknownMethodOf = ({ headers }: Request): string | undefined =>
  (slot[SLOT] && headers.get(slot[SLOT])) || undefined
