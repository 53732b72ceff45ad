import type { IncomingMessage, ServerResponse } from 'node:http'
import { sep } from 'node:path'
import send from 'send'
import { GatewayError } from '../../errors.ts'
import { acceptedEncoding } from '../accept-encoding.ts'
import type { BuiltFile } from './built-files.ts'
import { refuse } from './refuse.ts'

const OF_THE_FILE = ['content-encoding', 'content-type', 'cache-control', 'etag', 'last-modified', 'vary']

/** A file's path as `send` takes it: as the path of a URL. */
const urlPathOf = (file: string): string => file.split(sep).map(encodeURIComponent).join('/')

/** Sends a file of the build, compressed where it can be and the request asks for it; 304 where the client has it. */
export const sendFile = (
  request: IncomingMessage,
  response: ServerResponse,
  build: string,
  { plain, encoded, type, cacheControl }: BuiltFile,
): void => {
  const encoding = encoded.size > 0 ? acceptedEncoding(request.headers['accept-encoding']) : undefined
  const compressed = encoding && encoded.get(encoding)
  const { file, etag } = compressed ?? plain
  if (encoded.size > 0) response.setHeader('vary', 'Accept-Encoding')
  if (compressed) response.setHeader('content-encoding', encoding)
  if (type) response.setHeader('content-type', type)
  response.setHeader('cache-control', cacheControl)
  response.setHeader('etag', etag)
  send(request, urlPathOf(file), { root: build, index: false, cacheControl: false, dotfiles: 'allow' })
    .on('error', (error: Readonly<{ status?: number; headers?: Record<string, string> }>) => {
      for (const name of OF_THE_FILE) response.removeHeader(name)
      if (error.status === 416 || error.status === 412) response.writeHead(error.status, error.headers).end()
      else refuse(request, response, new GatewayError('NOT_FOUND', 'There is no such file.'))
    })
    .pipe(response)
}
