export type Answer = { status: number; body: Buffer; chunked: boolean }

type Framing = { status: number; bodyStart: number } & (
  | { chunked: true }
  | { chunked: false; contentLength: number }
)

const endOfHead = Buffer.from('\r\n\r\n')
const lastChunk = Buffer.from('\r\n0\r\n\r\n')

/**
 * Assembles one HTTP/1.1 response from the reads of a socket. It parses just enough to find its end, so that the load
 * costs little beside the measured server.
 */
export class AnswerReader {
  #bytes: Buffer = Buffer.alloc(0)
  #framing: Framing | undefined

  /** Takes one read; gives the answer once it is whole, and is then ready for the next. */
  push(read: Buffer): Answer | undefined {
    this.#bytes = this.#bytes.length === 0 ? read : Buffer.concat([this.#bytes, read])
    this.#framing ??= readFraming(this.#bytes)
    const framing = this.#framing
    if (framing === undefined || !isWhole(this.#bytes, framing)) return undefined
    const answer = {
      status: framing.status,
      body: this.#bytes.subarray(framing.bodyStart),
      chunked: framing.chunked,
    }
    this.#bytes = Buffer.alloc(0)
    this.#framing = undefined
    return answer
  }
}

function readFraming(bytes: Buffer): Framing | undefined {
  const headLength = bytes.indexOf(endOfHead)
  if (headLength === -1) return undefined
  const head = bytes.toString('latin1', 0, headLength).toLowerCase()
  const status = Number(head.slice(9, 12))
  const bodyStart = headLength + endOfHead.length
  if (head.includes('\r\ntransfer-encoding: chunked')) return { status, bodyStart, chunked: true }
  const contentLength = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
  if (contentLength === undefined) throw new Error(`An answer without a length:\n${head}`)
  return { status, bodyStart, chunked: false, contentLength: Number(contentLength) }
}

function isWhole(bytes: Buffer, framing: Framing): boolean {
  if (!framing.chunked) return bytes.length >= framing.bodyStart + framing.contentLength
  return bytes.subarray(-lastChunk.length).equals(lastChunk)
}

/** The body with the chunk sizes of its transfer encoding taken out. */
export function plainBody(answer: Answer): string {
  if (!answer.chunked) return answer.body.toString()
  const parts: Buffer[] = []
  for (let at = 0; at < answer.body.length; ) {
    const endOfSize = answer.body.indexOf('\r\n', at)
    const size = Number.parseInt(answer.body.toString('latin1', at, endOfSize), 16)
    if (!(size > 0)) break
    parts.push(answer.body.subarray(endOfSize + 2, endOfSize + 2 + size))
    at = endOfSize + 2 + size + 2
  }
  return Buffer.concat(parts).toString()
}
