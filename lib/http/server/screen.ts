import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../../errors.ts'
import { sendAsOptions } from '../unknown-method.ts'
import { rememberResponse } from './connections.ts'
import { refuse } from './refuse.ts'

/** The target of a request. Source: RFC 9112, 3.2. */
type RequestTarget =
  /** A normalized path with its query; `authority` where the target names it. */
  | Readonly<{ kind: 'path'; url: string; authority?: string }>
  /** `*`: the server itself. */
  | Readonly<{ kind: 'server' }>
  | Readonly<{ kind: 'invalid' }>

/** Paths that are already normalized; nearly all are. */
const NORMAL = /^(?:\/|(?:\/[\w~:@-][\w.~:@-]*)+)(?:\?[^#]*)?$/
const ABSOLUTE = /^https?:\/\/([^/?#@\s]+)([^\s]*)$/i
const API = /^\/(?:api|v1)(?:\/|$)|^\/(?:metrics|openapi\.json)$/

/** Whether a path belongs to the API; all others are pages. */
export const isApiPath = (path: string): boolean => API.test(path)

/** The path of a URL without its query. */
export const pathOf = (url = '/'): string => {
  const query = url.indexOf('?')
  return query === -1 ? url : url.slice(0, query)
}

/** Resolves `.` and `..`, also percent-encoded, as every URL parser does, and drops empty segments. */
const resolved = (path: string): string => {
  const kept: string[] = []
  for (const segment of path.split('/')) {
    const plain = segment.replaceAll(/%2e/gi, '.')
    if (plain === '..') kept.pop()
    else if (plain !== '.' && plain !== '') kept.push(segment)
  }
  const isFolder = /(?:^|\/)(?:\.|%2e){0,2}$/i.test(path)
  return `/${kept.join('/')}${isFolder && kept.length > 0 ? '/' : ''}`
}

/** Whether percent-encoded bytes are UTF-8 text. */
const isReadable = (path: string): boolean => {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

const normalized = (rest: string, authority?: string): RequestTarget => {
  const [whole = ''] = rest.split('#', 1)
  // URL parsers take a backslash for a slash, routers do not.
  const path = resolved(pathOf(whole).replaceAll('\\', '%5C'))
  if (!isReadable(path)) return { kind: 'invalid' }
  const isApiFolder = path.length > 1 && path.endsWith('/') && isApiPath(path)
  const url = `${isApiFolder ? path.slice(0, -1) : path}${whole.slice(pathOf(whole).length)}`
  return authority === undefined ? { kind: 'path', url } : { kind: 'path', url, authority }
}

/**
 * Reads a request line's target. Repeated slashes, dot segments and absolute-form are resolved, and a slash at the
 * end of an API path is dropped, so that proxy, router and handler see the same path.
 */
const requestTarget = (raw = '/'): RequestTarget => {
  if (NORMAL.test(raw)) return { kind: 'path', url: raw }
  if (raw === '*') return { kind: 'server' }
  if (raw.startsWith('/')) return normalized(raw)
  const [, authority, rest = ''] = ABSOLUTE.exec(raw) ?? []
  if (authority === undefined) return { kind: 'invalid' }
  return normalized(rest.startsWith('/') ? rest : `/${rest}`, authority)
}

/** Puts the authority of an absolute-form target in place of the Host header that was sent. Source: RFC 9112, 3.2.2. */
const setHost = (request: IncomingMessage, authority: string): void => {
  request.headers.host = authority
  const { rawHeaders } = request
  for (let index = rawHeaders.length - 2; index >= 0; index -= 2)
    if (rawHeaders[index]?.toLowerCase() === 'host') rawHeaders.splice(index, 2)
  rawHeaders.push('Host', authority)
}

const API_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
const KNOWN_METHODS: ReadonlySet<string | undefined> = new Set(API_METHODS.split(', '))
const PAGE_METHODS = 'GET, HEAD'

const notAllowed = (request: IncomingMessage, response: ServerResponse, allow: string): void =>
  refuse(
    request,
    response,
    new GatewayError(
      'METHOD_NOT_ALLOWED',
      `Method ${request.method} is not allowed for this URL; use ${allow}.`,
    ),
    { headers: { allow } },
  )

/** HTTP/1.1 asks for exactly one; several are joined by commas, which no host contains. Source: RFC 9112, 3.2. */
const hasOneHost = ({ headers: { host }, httpVersion }: IncomingMessage): boolean =>
  host === undefined ? httpVersion !== '1.1' : !host.includes(',')

/** Nearly all requests name the same host. */
let lastHost = ''

/** Whether a URL can be made of it, as every route does; a request of HTTP/1.0 may have none. */
const isHost = (host: string): boolean => {
  if (host === lastHost || host === '') return true
  if (!URL.canParse(`http://${host}`)) return false
  lastHost = host
  return true
}

/** Node decodes chunks alone; what another coding has made of a body would be taken for it. Source: RFC 9112, 6.1. */
const hasKnownCoding = ({ headers: { 'transfer-encoding': coding } }: IncomingMessage): boolean =>
  coding === undefined || coding.trim().toLowerCase() === 'chunked'

const NOT_IMPLEMENTED = 501

const refuseCoding = (request: IncomingMessage, response: ServerResponse): true => {
  const error = new GatewayError(
    'INVALID_INPUT',
    'The only Transfer-Encoding that is read is chunked; name a compression in Content-Encoding.',
  )
  refuse(request, response, error, { status: NOT_IMPLEMENTED, headers: { connection: 'close' } })
  return true
}

const refuseHost = (request: IncomingMessage, response: ServerResponse, message: string): true => {
  const error = new GatewayError('INVALID_INPUT', message)
  refuse(request, response, error, { headers: { connection: 'close' } })
  return true
}

const respondServerWide = (request: IncomingMessage, response: ServerResponse): void => {
  const { method } = request
  if (method === 'OPTIONS') response.writeHead(204, { allow: API_METHODS }).end()
  else if (KNOWN_METHODS.has(method))
    refuse(
      request,
      response,
      new GatewayError('INVALID_INPUT', 'The target * is for OPTIONS alone; name a path.'),
    )
  else notAllowed(request, response, API_METHODS)
}

/**
 * Runs before every route and page of a server: responds to requests that none of them can handle, and normalizes each
 * target. @returns whether it has responded
 */
export const screen = (request: IncomingMessage, response: ServerResponse): boolean => {
  rememberResponse(response)
  if (!hasOneHost(request))
    return refuseHost(request, response, 'An HTTP/1.1 request has exactly one Host header.')
  if (!hasKnownCoding(request)) return refuseCoding(request, response)
  const target = requestTarget(request.url)
  if (target.kind === 'path') {
    request.url = target.url
    if (target.authority !== undefined) setHost(request, target.authority)
    if (!isHost(request.headers.host ?? ''))
      return refuseHost(request, response, 'The Host header is malformed.')
    if (KNOWN_METHODS.has(request.method)) return false
    if (isApiPath(pathOf(target.url))) {
      sendAsOptions(request)
      return false
    }
    notAllowed(request, response, PAGE_METHODS)
  } else if (target.kind === 'server') respondServerWide(request, response)
  else
    refuse(
      request,
      response,
      new GatewayError('INVALID_INPUT', 'The path is not valid: it must be percent-encoded UTF-8 text.'),
    )
  return true
}

/** Refuses methods that no page allows, before any of the body is read. @returns whether it has responded */
export const screenPage = (request: IncomingMessage, response: ServerResponse): boolean => {
  if (request.method === 'GET' || request.method === 'HEAD') return false
  notAllowed(request, response, PAGE_METHODS)
  return true
}
