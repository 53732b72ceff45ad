import type { IncomingMessage, ServerResponse } from 'node:http'
import { GatewayError } from '../../errors.ts'
import { sendAsOptions } from '../unknown-method.ts'
import { setHost } from './host-header.ts'
import { refuse } from './refuse.ts'
import { isApiPath, pathOf, requestTarget } from './target.ts'
import { rememberResponse } from './upgrade.ts'

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
  if (!hasOneHost(request)) {
    const error = new GatewayError('INVALID_INPUT', 'An HTTP/1.1 request has exactly one Host header.')
    refuse(request, response, error, { headers: { connection: 'close' } })
    return true
  }
  const target = requestTarget(request.url)
  if (target.kind === 'path') {
    request.url = target.url
    if (target.authority !== undefined) setHost(request, target.authority)
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
