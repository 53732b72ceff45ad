import type { IncomingMessage } from 'node:http'

/** Puts the authority of an absolute-form target in place of the Host header that was sent. Source: RFC 9112, 3.2.2. */
export const setHost = (request: IncomingMessage, authority: string): void => {
  request.headers.host = authority
  const { rawHeaders } = request
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2)
    if (rawHeaders[index]?.toLowerCase() === 'host') rawHeaders.splice(index, 2)
  rawHeaders.push('Host', authority)
}
