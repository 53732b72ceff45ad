import type { IncomingMessage } from 'node:http'

const SLOT = Symbol.for('parley.unknown-method-header')
type Slot = { [SLOT]?: string }
const slot = globalThis as Slot

/**
 * Routes a request with an unknown method as OPTIONS, so that the route itself can refuse it with the list of its
 * methods. The original method is passed in a header whose name is random for each process, so that no client can send
 * it: neither Next's router nor a web Request accepts every HTTP method.
 */
export const sendAsOptions = (request: IncomingMessage): void => {
  slot[SLOT] ??= `x-method-${crypto.randomUUID()}`
  request.headers[slot[SLOT]] = request.method
  request.rawHeaders.push(slot[SLOT], request.method ?? '')
  request.method = 'OPTIONS'
}

/** The original method of a request, where no route has it. */
export const unknownMethodOf = ({ headers }: Request): string | undefined =>
  (slot[SLOT] && headers.get(slot[SLOT])) || undefined
