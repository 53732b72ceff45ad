import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

const lastResponses = new WeakMap<Duplex, ServerResponse>()

/** Tracks the last response of a connection. To be called for every request. */
export const rememberResponse = (response: ServerResponse): void => {
  lastResponses.set(response.req.socket, response)
}

/** The response to the last request whose headers have arrived; undefined before the first. */
export const lastResponseOf = (socket: Duplex): ServerResponse | undefined => lastResponses.get(socket)
