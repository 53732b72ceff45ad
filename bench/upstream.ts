/**
 * A process that serves OpenAI chat completions on a free port, as cheaply as node:http can, and reports the port to
 * its parent. `/v1/…` answers at once, `/paced/v1/…` sends a stream's events one millisecond apart.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerHeaders, jsonAnswer, streamAnswer } from './upstream-answers.ts'

type PacedStream = { response: ServerResponse; next: number }

const paced = new Set<PacedStream>()

const server = createServer((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => answer(request.url ?? '', Buffer.concat(parts), response))
})

function answer(url: string, body: Buffer, response: ServerResponse) {
  if (!url.endsWith('/v1/chat/completions')) {
    response.writeHead(404).end(`No such path: ${url}`)
  } else if (!body.includes('"stream":true')) {
    const headers = {
      ...answerHeaders,
      'content-type': 'application/json',
      'content-length': jsonAnswer.length,
    }
    response.writeHead(200, headers).end(jsonAnswer)
  } else {
    response.writeHead(200, { ...answerHeaders, 'content-type': 'text/event-stream; charset=utf-8' })
    if (url.startsWith('/paced/')) pace(response)
    else writeAll(response)
  }
}

/**
 * Every event is its own write and its own HTTP chunk, but Node corks the writes of one turn, and the kernel may join
 * it further: a target reads the whole stream once or twice, and it is the same for all. `/paced/` is the other end.
 */
function writeAll(response: ServerResponse) {
  for (const event of streamAnswer) response.write(event)
  response.end()
}

function pace(response: ServerResponse) {
  const stream = { response, next: 0 }
  paced.add(stream)
  response.on('close', () => paced.delete(stream))
}

setInterval(() => {
  for (const stream of paced) {
    const event = streamAnswer[stream.next++]
    if (event !== undefined) stream.response.write(event)
    else stream.response.end()
  }
}, 1)

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit())
