/**
 * A process of its own that holds both ends of many streams: the upstream that the gateway asks, and the clients that
 * ask the gateway. Driven over IPC by `Order`; twice a second it reports `Load`.
 */
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** How many streams have begun, the pieces that their clients have been given, and what went wrong. */
export type Load = Readonly<{ opened: number; pieces: number; errors: readonly string[] }>
/** To open so many clients, one every so many ms or all at once; with the same question (`same`) or each with its own; or to
 * end all of them in the same moment. */
export type Order = Readonly<{ open: number; url: string; everyMs: number; same?: true }> | 'leave'

const PIECE_MS = 1_000
const piece = `data: ${JSON.stringify({
  id: 'chatcmpl-load',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'any',
  choices: [{ index: 0, delta: { content: 'one more piece ' }, finish_reason: null }],
})}\n\n`

let opened = 0
let pieces = 0
const errors: string[] = []
let clients: Socket[] = []
const fail = (what: string): void => {
  if (errors.length < 10) errors.push(what)
}

const onePieceASecond = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(piece)
  const timer = setInterval(() => response.write(piece), PIECE_MS)
  response.on('close', () => clearInterval(timer))
}

const upstream = createServer((request, response) => {
  request.resume().on('end', () => onePieceASecond(response))
})

const countOf = (text: string, word: string): number => text.split(word).length - 1

const openOne = ({ hostname, port }: URL, number: number, same?: true): void => {
  const body = JSON.stringify({
    prompt: same ? 'stream' : `stream ${number}`,
    model: 'openai/any',
    stream: true,
    cache: same ? 'default' : 'no-store',
  })
  const socket = connect(Number(port), hostname)
  clients.push(socket)
  socket.write(
    `POST /api/chat HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  let seen = false
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    if (!seen) {
      seen = true
      if (text.startsWith('HTTP/1.1 200')) opened += 1
      else fail(text.slice(0, 1_000))
    }
    if (text.includes('event: error')) fail(text)
    pieces += countOf(text, 'event: delta')
  })
  socket.on('error', error => fail(String(error)))
  socket.on('close', () => fail('a stream was closed'))
}

const leave = (): void => {
  for (const socket of clients) socket.removeAllListeners('close').destroy()
  clients = []
}

process.on('message', (order: Order) => {
  if (order === 'leave') return leave()
  const { open, url, everyMs, same } = order
  const target = new URL(url)
  for (let number = 0; number < open; number += 1) {
    if (everyMs === 0) openOne(target, number, same)
    else setTimeout(openOne, number * everyMs, target, number, same)
  }
})
process.on('disconnect', () => process.exit())
process.on('error', () => process.exit())

upstream.listen(0, '127.0.0.1', 20_000, () => {
  process.send?.({ port: (upstream.address() as AddressInfo).port })
  setInterval(() => process.send?.({ opened, pieces, errors } satisfies Load), 500)
})
