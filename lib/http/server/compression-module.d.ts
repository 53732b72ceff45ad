declare module 'compression' {
  import type { IncomingMessage, ServerResponse } from 'node:http'
  import type { BrotliOptions } from 'node:zlib'

  /** Compresses what is written to a response, in the encoding that its request asks for. */
  export default function compression(
    options: Readonly<{
      /** Bytes; a shorter body of known length is sent as it is. */
      threshold: number
      brotli: BrotliOptions
      filter: (request: IncomingMessage, response: ServerResponse) => boolean
    }>,
  ): (request: IncomingMessage, response: ServerResponse, next: () => void) => void
}
