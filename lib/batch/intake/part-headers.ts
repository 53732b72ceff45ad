import { GatewayError } from '../../errors.ts'

const MAX_PART_HEADER_BYTES = 8_192
const MOST_PART_HEADERS = 20
const END_OF_HEADERS = '\r\n\r\n'
const LINE_BREAK = '\r\n'
const DISPOSITION = /^content-disposition[ \t]*:[ \t]*form-data[ \t]*;(?:.*;)?[ \t]*name\*?=/im
const TRANSFER_ENCODING = /^content-transfer-encoding[ \t]*:[ \t]*(?!(?:7bit|8bit|binary)[ \t]*$)/im
/** The boundary of a content type, in quotes or without. Source: RFC 2046, 5.1.1. */
const BOUNDARY = /;\s*boundary=(?:"([\w'()+,\-./:=? ]{1,70})"|([\w'()+,\-./:=?]{1,70}))\s*(?:;|$)/i

const malformed = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `body: ${message}.`, { details: [{ path: 'body', message }] })

/** The boundary that a content type names; undefined where it names none that RFC 2046 allows. */
export const boundaryOf = (contentType: string): string | undefined => {
  const [, quoted, plain] = BOUNDARY.exec(contentType) ?? []
  return quoted ?? plain
}

/**
 * Checks the headers of the parts of a multipart body as its bytes come: 8,192 bytes and 20 lines a part, each with a
 * name. The parser after it silently truncates longer ones, and skips parts that it does not understand.
 */
export class PartHeaders {
  readonly #delimiter: string
  #state: 'content' | 'headers' | 'end' = 'content'
  /** A possible beginning of a delimiter, or the headers so far. The first delimiter may open the body. */
  #rest: Buffer = Buffer.from(LINE_BREAK)

  constructor(boundary: string) {
    this.#delimiter = `${LINE_BREAK}--${boundary}`
  }

  /** @throws GatewayError INVALID_INPUT */
  check(chunk: Uint8Array): void {
    if (this.#state === 'end') return
    const text = Buffer.concat([this.#rest, chunk])
    let at: number | undefined = 0
    while (at !== undefined)
      at = this.#state === 'content' ? this.#inContent(text, at) : this.#inHeaders(text, at)
  }

  #inContent(text: Buffer, from: number): number | undefined {
    const found = text.indexOf(this.#delimiter, from, 'latin1')
    if (found < 0) {
      this.#rest = text.subarray(Math.max(from, text.length - this.#delimiter.length + 1))
      return undefined
    }
    this.#state = 'headers'
    return found + this.#delimiter.length
  }

  #inHeaders(text: Buffer, from: number): number | undefined {
    this.#rest = text.subarray(from)
    if (this.#rest.toString('latin1', 0, 2) === '--') {
      this.#state = 'end'
      return undefined
    }
    const end = text.indexOf(END_OF_HEADERS, from, 'latin1')
    if ((end < 0 ? text.length : end) - from > MAX_PART_HEADER_BYTES)
      throw malformed(
        `has a part whose headers are longer than ${MAX_PART_HEADER_BYTES.toLocaleString('en')} bytes`,
      )
    if (end < 0) return undefined
    assertSane(text.toString('latin1', from, end))
    this.#state = 'content'
    // The break that ends the headers of an empty part begins the next delimiter.
    return end + LINE_BREAK.length
  }
}

const assertSane = (headers: string): void => {
  if (headers.split(LINE_BREAK).length > MOST_PART_HEADERS)
    throw malformed(`has a part with more than ${MOST_PART_HEADERS} headers`)
  if (!DISPOSITION.test(headers))
    throw malformed('has a part without content-disposition: form-data and a name')
  if (TRANSFER_ENCODING.test(headers))
    throw malformed('has a part with a content-transfer-encoding; send it as it is')
}
