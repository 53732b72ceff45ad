import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync } from 'node:zlib'
import compression from 'compression'
import { turn } from '../../loop-turns.ts'
import { acceptedEncoding, type ContentEncoding } from '../accept-encoding.ts'

/** Shorter bodies fit into one packet either way. */
export const SMALLEST_BYTES = 1_000
/** Compressed at once, in half a millisecond; longer bodies are compressed on Node's thread pool. */
const MOST_SYNCHRONOUS_BYTES = 16_384
/** Bodies on the thread pool at the same time: its other two threads stay free for files and name lookups. */
const MOST_AT_ONCE = 2
/** Bodies that wait for the pool; beyond them they are sent as they are. */
const MOST_WAITING = 32

const BROTLI = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: 4,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
    [constants.BROTLI_PARAM_LGWIN]: 18,
  },
}
const SYNCHRONOUS: Readonly<Record<ContentEncoding, (bytes: Buffer) => Buffer>> = {
  br: bytes => brotliCompressSync(bytes, BROTLI),
  gzip: bytes => gzipSync(bytes),
}
const brotliInPool = promisify<Buffer, typeof BROTLI, Buffer>(brotliCompress)
const IN_POOL: Readonly<Record<ContentEncoding, (bytes: Buffer) => Promise<Buffer>>> = {
  br: bytes => brotliInPool(bytes, BROTLI),
  gzip: promisify<Buffer, Buffer>(gzip),
}

let inPool = 0
const waiting: (() => void)[] = []

const slot = (): Promise<void> | undefined => {
  if (inPool < MOST_AT_ONCE) {
    inPool += 1
    return undefined
  }
  return new Promise(resolve => waiting.push(resolve))
}

/** Passes the slot on to the next one that waits. */
const release = (): void => {
  const next = waiting.shift()
  if (next) next()
  else inPool -= 1
}

const compressInPool = async (bytes: Buffer, encoding: ContentEncoding): Promise<Buffer | undefined> => {
  if (waiting.length >= MOST_WAITING) return undefined
  await slot()
  try {
    return await IN_POOL[encoding](bytes)
  } finally {
    release()
  }
}

const NO_TRANSFORM = /\bno-transform\b/i

/**
 * The encoding of a response to a request: none for HEAD, and where either side says `no-transform`.
 *
 * @param cacheControl that of the response
 */
export const encodingFor = (
  { method, headers }: Pick<IncomingMessage, 'method' | 'headers'>,
  cacheControl = '',
): ContentEncoding | undefined => {
  const encoding = acceptedEncoding(headers['accept-encoding'])
  if (encoding === undefined || method === 'HEAD') return undefined
  return NO_TRANSFORM.test(cacheControl) || NO_TRANSFORM.test(headers['cache-control'] ?? '')
    ? undefined
    : encoding
}

/** A text, compressed without blocking the event loop; undefined while too many others are being compressed. */
export const compressText = async (text: string, encoding: ContentEncoding): Promise<Buffer | undefined> => {
  const wait = turn()
  if (wait) await wait
  const bytes = Buffer.from(text)
  return bytes.length <= MOST_SYNCHRONOUS_BYTES
    ? SYNCHRONOUS[encoding](bytes)
    : compressInPool(bytes, encoding)
}

const TEXT = /^(?:text\/(?!event-stream)|application\/(?:jsonl?|javascript|manifest\+json|xml)\b|image\/svg)/i

const compressWrites = compression({
  threshold: SMALLEST_BYTES,
  brotli: BROTLI,
  filter: (request, response) =>
    TEXT.test(String(response.getHeader('content-type'))) &&
    // A download may be long, and its reader slow: what waits to be compressed would be held for each of them.
    !response.hasHeader('content-disposition') &&
    !NO_TRANSFORM.test(request.headers['cache-control'] ?? ''),
})

/**
 * Compresses what will be written to a response, in the encoding that its request asks for, as fast as the client reads
 * it: texts but event streams, which must arrive as they are written, and what is compressed already.
 *
 * No response holds a secret beside text of another site's choice, whose length would reveal the secret (BREACH):
 * cross-site requests are refused, and the session is a cookie. A route that returns a secret says `no-transform`.
 */
export const compressResponse = (request: IncomingMessage, response: ServerResponse): void => {
  if (request.headers['accept-encoding'] !== undefined) compressWrites(request, response, () => {})
}
