import { GatewayError } from '../errors.ts'
import type { Origin } from '../visit.ts'
import { clientAddress } from './address.ts'

const SANE_REQUEST_ID = /^[\w.:/+=-]{1,128}$/

/** The id that was sent, where it is a sane one, else a new one. */
export const saneRequestId = (sent: string | null | undefined): string =>
  sent && SANE_REQUEST_ID.test(sent) ? sent : crypto.randomUUID()

/** The request's id: the sender's own where it is a sane one, else a new one. */
export const requestIdOf = (request: Request): string => saneRequestId(request.headers.get('x-request-id'))

const bearerOf = (authorization: string | null): string | undefined => {
  if (authorization === null) return undefined
  const [, token] = /^Bearer +(\S+) *$/i.exec(authorization) ?? []
  if (!token) throw new GatewayError('UNAUTHENTICATED', 'The Authorization header must be “Bearer <key>”.')
  return token
}

/** The one place where keys are taken off a request. */
const apiKeyOf = ({ headers }: Request): string | undefined => {
  const bearer = bearerOf(headers.get('authorization'))
  const header = headers.get('x-api-key')?.trim() || undefined
  if (bearer !== undefined && header !== undefined && bearer !== header)
    throw new GatewayError('INVALID_INPUT', 'Authorization and x-api-key carry two different keys; send one.')
  return bearer ?? header
}

/** A cookie's value, unless another site's page is behind the request. */
const cookieOf = ({ headers }: Request, name: string): string | undefined => {
  const cookies = headers.get('cookie')
  if (cookies === null || headers.get('sec-fetch-site') === 'cross-site') return undefined
  for (const pair of cookies.split(';')) {
    const [key, value] = pair.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}

/**
 * What a request shows of its sender.
 * @throws GatewayError UNAUTHENTICATED or INVALID_INPUT for credentials that cannot be read as one key.
 */
export const originOf = (request: Request, trustedProxyHops: number, sessionCookie: string): Origin => ({
  address: clientAddress(request, trustedProxyHops),
  apiKey: apiKeyOf(request),
  session: cookieOf(request, sessionCookie),
})
