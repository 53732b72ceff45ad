import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Json } from './chat.ts'

export type RawAnswer = Readonly<{
  status: number
  headers: IncomingMessage['headers']
  body: string
  json: Json
}>

type RawRequest = Readonly<{
  method?: string
  /** The target as it goes into the request line; may be absolute. */
  path?: string
  /** `fetch` lets nobody set Host, Origin and the like; here they go out as they are. */
  headers?: Readonly<Record<string, string>>
  body?: string
}>

const parsed = (body: string): Json => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Sends a request whose target and headers are exactly these; Host is added where none is given. */
export const sendRaw = async (
  url: string,
  { method = 'GET', path = '/', headers = {}, body }: RawRequest,
): Promise<RawAnswer> => {
  const { hostname, port } = new URL(url)
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
  const asked = request({
    host: hostname,
    port,
    method,
    path,
    headers: { ...headers, ...length },
    agent: false,
  })
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const received = await text(answer)
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: received, json: parsed(received) }
}

/** Sends bytes as they are, and returns what came back until the connection was closed. */
export const sendBytes = async (url: string, bytes: string): Promise<string> => {
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  socket.end(bytes)
  return text(socket)
}
