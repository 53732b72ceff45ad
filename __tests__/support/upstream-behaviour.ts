import type { ServerResponse } from 'node:http'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'

/** One way for the fake upstream to answer a call. `signal` aborts when the caller's socket closes. */
export type Behaviour = (response: ServerResponse, asked: Asked, signal: AbortSignal) => Promise<void> | void

export type Asked = Readonly<{
  model: string
  stream?: boolean
  messages: readonly { role: string; content: string }[]
  max_tokens?: number
  max_completion_tokens?: number
  temperature?: number
}>

const JSON_HEADERS = { 'content-type': 'application/json' }
const SSE_HEADERS = { 'content-type': 'text/event-stream' }
export const USAGE = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 }

export const completion = (model: string, content: string, finish = 'stop') => ({
  id: 'chatcmpl-fake',
  object: 'chat.completion',
  created: 1,
  model,
  choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }],
  usage: USAGE,
})

export const chunk = (delta: object, finish: string | null = null) => ({
  id: 'chatcmpl-fake',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'fake',
  choices: [{ index: 0, delta, finish_reason: finish }],
})

export const sse = (data: unknown): string =>
  `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

/** The end that every complete stream has. */
export const streamEnd = (finish = 'stop'): string =>
  sse(chunk({}, finish)) + sse({ ...chunk({}), choices: [], usage: USAGE }) + sse('[DONE]')

/** Writes, and waits while the reader is slow. */
export const write = async (
  response: ServerResponse,
  text: string | Uint8Array,
  signal: AbortSignal,
): Promise<void> => {
  if (signal.aborted || response.write(text)) return
  await new Promise<void>(resolve => {
    response.once('drain', resolve)
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Answers with `pieces`, as JSON or as a stream at the given pace. */
export const says =
  (pieces: readonly string[], { paceMs = 0, finish = 'stop' } = {}): Behaviour =>
  async (response, asked, signal) => {
    if (!asked.stream) {
      if (paceMs > 0) await sleep(paceMs, undefined, { signal }).catch(() => {})
      response
        .writeHead(200, JSON_HEADERS)
        .end(JSON.stringify(completion(asked.model, pieces.join(''), finish)))
      return
    }
    response.writeHead(200, SSE_HEADERS)
    await write(response, sse(chunk({ role: 'assistant', content: '' })), signal)
    for (const piece of pieces) {
      if (paceMs > 0) await sleep(paceMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      await write(response, sse(chunk({ content: piece })), signal)
    }
    response.end(streamEnd(finish))
  }

/** Repeats the last message. */
export const echoes: Behaviour = (response, asked, signal) =>
  says([asked.messages.at(-1)?.content ?? ''])(response, asked, signal)

/** Refuses with a status, in the manner of OpenAI. */
export const refuses =
  (status: number, { code = null as string | null, headers = {}, body }: RefusalOptions = {}): Behaviour =>
  response => {
    const error = { message: 'upstream words that must not leak', type: 'fake_error', param: null, code }
    response.writeHead(status, { ...JSON_HEADERS, ...headers }).end(body ?? JSON.stringify({ error }))
  }

type RefusalOptions = { code?: string | null; headers?: Record<string, string>; body?: string }

/** Answers 200 with these very bytes, in these chunks, and ends (or breaks off). */
export const sends =
  (
    chunks: readonly (string | Uint8Array)[],
    { type = 'text/event-stream', headers = {}, ending = 'end' }: SendOptions = {},
  ): Behaviour =>
  async (response, _asked, signal) => {
    response.writeHead(200, { 'content-type': type, ...headers })
    for (const one of chunks) {
      await write(response, one, signal)
      await sleep(1)
    }
    if (ending === 'end') response.end()
    else if (ending === 'reset') response.socket?.resetAndDestroy()
  }

type SendOptions = { type?: string; headers?: Record<string, string>; ending?: 'end' | 'reset' | 'stall' }

/** The first call gets the first behaviour, and so on; the last one goes on for all that follow. */
export const inTurn = (...behaviours: readonly Behaviour[]): Behaviour => {
  let calls = 0
  return (...call) => {
    const behaviour = behaviours[Math.min(calls, behaviours.length - 1)] ?? hangs
    calls += 1
    return behaviour(...call)
  }
}

/** Takes the call and never says a word. */
export const hangs: Behaviour = () => {}

/** Streams on and on until the caller leaves. */
export const neverEnds =
  ({ paceMs = 0, piece = 'word ' } = {}): Behaviour =>
  async (response, _asked, signal) => {
    response.writeHead(200, SSE_HEADERS)
    while (!signal.aborted) {
      await write(response, sse(chunk({ content: piece })), signal)
      // Also at no pace: with a reader as fast as this writer it would never see that the reader has left.
      await (paceMs > 0 ? sleep(paceMs) : turn())
    }
  }

/** Streams these pieces, and then does nothing more. */
export const stallsAfter = (...pieces: readonly string[]): Behaviour =>
  sends(
    pieces.map(content => sse(chunk({ content }))),
    { ending: 'stall' },
  )

/** Sends the headers of a stream, or of JSON, and nothing after them. */
export const headersOnly: Behaviour = (response, asked) => {
  response.writeHead(200, asked.stream ? SSE_HEADERS : JSON_HEADERS).flushHeaders()
}

/**
 * Answers with a complete response of any size as raw bytes, as fast as they are taken, whatever HTTP makes of
 * them. Closes the connection afterwards.
 */
export const rawBytes =
  (head: string, parts: () => Iterable<string | Uint8Array>): Behaviour =>
  async (response, _asked, signal) => {
    const { socket } = response
    if (!socket) return
    socket.write(`HTTP/1.1 200 OK\r\n${head}\r\n\r\n`)
    for (const part of parts()) {
      if (signal.aborted) return
      if (socket.write(part)) continue
      await new Promise<void>(resolve => {
        socket.once('drain', resolve)
        signal.addEventListener('abort', () => resolve(), { once: true })
      })
    }
    socket.end()
  }

const MEBIBYTE = 1024 * 1024

/** One line of a stream that does not end for so many mebibytes. */
export const endlessLine = (mebibytes: number, character = 'x'): Behaviour =>
  rawBytes('content-type: text/event-stream\r\nconnection: close', function* () {
    yield 'data: '
    const piece = Buffer.alloc(MEBIBYTE / 4, character)
    for (let sent = 0; sent < mebibytes * MEBIBYTE; sent += piece.length) yield piece
    yield '\n\n'
  })

const TINY_CHUNKS_A_WRITE = 5_000

/** Sends `count` chunks of one comment each, three bytes long, and then a whole answer. */
export const tinyChunks = (count: number, content: string): Behaviour =>
  rawBytes('content-type: text/event-stream\r\ntransfer-encoding: chunked', function* () {
    const write = '3\r\n:\n\n\r\n'.repeat(TINY_CHUNKS_A_WRITE)
    for (let sent = 0; sent < count; sent += TINY_CHUNKS_A_WRITE) yield write
    const end = sse(chunk({ content })) + streamEnd()
    yield `${end.length.toString(16)}\r\n${end}\r\n0\r\n\r\n`
  })

/** A whole answer that declares so many bytes more, or fewer, than it has, with another header. */
export const misdeclares =
  (byBytes: number, header = ''): Behaviour =>
  (response, asked, signal) => {
    const body = asked.stream
      ? sse(chunk({ content: 'Hello' })) + streamEnd()
      : JSON.stringify(completion(asked.model, 'Hello'))
    const type = asked.stream ? 'text/event-stream' : 'application/json'
    const head = `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body) + byBytes}${header && `\r\n${header}`}`
    return rawBytes(head, () => [body])(response, asked, signal)
  }
