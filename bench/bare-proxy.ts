/** The floor: the cost in Node of forwarding a request and its response, and nothing else. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Agent, request } from 'undici'

const upstream = `${process.env.OPENAI_BASE_URL}/chat/completions`
const dispatcher = new Agent({ keepAliveTimeout: 60_000 })

async function proxy(incoming: IncomingMessage, outgoing: ServerResponse) {
  const parts: Buffer[] = []
  for await (const part of incoming) parts.push(part)
  const answer = await request(upstream, {
    dispatcher,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
    body: Buffer.concat(parts),
  })
  outgoing.writeHead(answer.statusCode, { 'content-type': String(answer.headers['content-type']) })
  answer.body.pipe(outgoing)
}

const server = createServer((incoming, outgoing) => {
  proxy(incoming, outgoing).catch(() => outgoing.destroy())
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit())
