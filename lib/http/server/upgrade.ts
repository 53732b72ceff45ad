import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { lastResponseOf } from './connections.ts'

/** Headers that apply only to the offered protocol. */
const OFFERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings'])

const withoutOffers = (value: string): string =>
  value
    .split(',')
    .map(option => option.trim())
    .filter(option => !OFFERS.has(option.toLowerCase()))
    .join(', ')

/** The head of a request, byte for byte, but without its offer of another protocol. */
const plainHead = ({ method, url, httpVersion, rawHeaders }: IncomingMessage): string => {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2)
    const lower = name.toLowerCase()
    if (OFFERS.has(lower)) continue
    const kept = lower === 'connection' ? withoutOffers(value) : value
    if (kept !== '' || value === '') head += `${name}: ${kept}\r\n`
  }
  return `${head}\r\n`
}

/** Runs `task` once every request before it on the connection is answered. */
const afterResponses = (socket: Duplex, task: () => void): void => {
  const last = lastResponseOf(socket)
  if (last && !last.destroyed) last.once('close', task)
  else task()
}

/**
 * Ignores offers of another protocol: the request is answered as plain HTTP/1.1 (RFC 9110, 7.8). Node's parser
 * loses what follows such a request in the same packet, so the whole goes through the server once more without its
 * offer, followed by the body and pipelined requests.
 */
export const ignoreUpgrades = (server: Server): void => {
  server.removeAllListeners('upgrade')
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    // At this point Node has no error listener on the connection.
    const onError = () => socket.destroy()
    socket.on('error', onError)
    afterResponses(socket, () => {
      socket.off('error', onError)
      if (socket.destroyed || !socket.writable) return
      // The time limit between two requests would otherwise continue during this one.
      request.socket.setTimeout(server.timeout)
      socket.unshift(Buffer.concat([Buffer.from(plainHead(request), 'latin1'), rest]))
      server.emit('connection', socket)
    })
  })
}
