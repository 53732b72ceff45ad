import { pipeline, type Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib'
import type { ResponseBody } from './body.ts'
import { MalformedResponse } from './malformed.ts'
import type { UpstreamBody } from './upstream-body.ts'

/** The gateway requests no compression, and answers are far smaller: a larger body is not an answer. */
const MAX_DECODED_BYTES = 32 * 1024 * 1024
const ZLIB_METHOD = 8
const METHOD_MASK = 0x0f

/** `deflate` in RFC 9110 means zlib; some servers send raw deflate data. */
const inflate = (first: Uint8Array): Transform =>
  ((first[0] ?? 0) & METHOD_MASK) === ZLIB_METHOD ? createInflate() : createInflateRaw()

const DECODERS: ReadonlyMap<string, (first: Uint8Array) => Transform> = new Map([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  ['deflate', inflate],
  ['br', () => createBrotliDecompress()],
])

async function* decoded(
  body: UpstreamBody,
  decoderFor: (first: Uint8Array) => Transform,
): AsyncGenerator<Uint8Array> {
  const first = await body.next()
  if (first.done) return
  const encoded = async function* () {
    yield first.value
    yield* body
  }
  // The decoder's reader gets the error.
  const decoder = pipeline(encoded, decoderFor(first.value), () => {})
  let size = 0
  try {
    for await (const chunk of decoder) {
      size += chunk.length
      if (size > MAX_DECODED_BYTES)
        throw new MalformedResponse(`it unpacks to more than ${MAX_DECODED_BYTES} bytes`, { isFinal: true })
      yield chunk
    }
  } catch (thrown) {
    if (thrown instanceof MalformedResponse || body.errored) throw thrown
    throw new MalformedResponse('its content encoding is broken', { cause: thrown })
  }
}

/**
 * A response's body without its content encoding: as it is, or one layer of gzip, deflate or br removed.
 *
 * @param contentEncoding all the header's values, joined by commas
 * @throws MalformedResponse, and closes the body, for any other encoding and for several layers. Reading throws it for
 * invalid data, and beyond 32 MiB.
 */
export const decodedBody = (body: UpstreamBody, contentEncoding: string): ResponseBody => {
  const codings = contentEncoding
    .toLowerCase()
    .split(',')
    .map(coding => coding.trim())
    .filter(coding => coding !== '' && coding !== 'identity')
  const [coding, ...others] = codings
  if (coding === undefined) return body
  const decoderFor = DECODERS.get(coding)
  if (!decoderFor || others.length > 0) {
    body.destroy()
    throw new MalformedResponse('a content encoding that was not asked for', { isFinal: true })
  }
  const chunks = decoded(body, decoderFor)
  return { next: () => chunks.next(), destroy: body.destroy }
}
