import type { IncomingMessage } from 'node:http'

const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([^#]*)/i

/**
 * Turns a target in absolute form into a path and a Host header: its authority goes before the Host header that
 * was sent. Source: RFC 9112, 3.2.2.
 */
export const takeTargetAuthority = (request: IncomingMessage): void => {
  const [, authority, rest = ''] = ABSOLUTE_FORM.exec(request.url ?? '') ?? []
  if (authority === undefined) return
  request.url = rest.startsWith('/') ? rest : `/${rest}`
  request.headers.host = authority
  const { rawHeaders } = request
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2)
    if (rawHeaders[index]?.toLowerCase() === 'host') rawHeaders.splice(index, 2)
  rawHeaders.push('Host', authority)
}
