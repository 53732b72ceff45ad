import { GatewayError } from '../errors.ts'
import type { ClientInfo } from '../request-context.ts'
import type { AccessRules } from './access-rules.ts'
import { clientAddress } from './address.ts'
import { bearerToken, KEY_HEADERS } from './credential.ts'
import { isCrossSite } from './cross-site.ts'

const SANE_REQUEST_ID = /^[\w.:/+=-]{1,128}$/

/** The client's request id where it is valid, else a new one. */
export const saneRequestId = (sent: string | null | undefined): string =>
  sent && SANE_REQUEST_ID.test(sent) ? sent : crypto.randomUUID()

/** The client's request id where it is valid, else a new one. */
export const requestIdOf = (request: Request): string => saneRequestId(request.headers.get('x-request-id'))

const bearerOf = (authorization: string | null): string | undefined => {
  if (authorization === null) return undefined
  const token = bearerToken(authorization)
  if (!token) throw new GatewayError('UNAUTHENTICATED', 'The Authorization header must be “Bearer <key>”.')
  return token
}

/** The only place that reads keys from a request. */
const apiKeyOf = ({ headers }: Request): string | undefined => {
  let key = bearerOf(headers.get('authorization'))
  for (const name of KEY_HEADERS) {
    const sent = headers.get(name)?.trim() || undefined
    if (sent === undefined) continue
    if (key !== undefined && key !== sent)
      throw new GatewayError(
        'INVALID_INPUT',
        'Authorization, x-api-key and api-key carry different keys; send one.',
      )
    key = sent
  }
  return key
}

/** A cookie's value, unless another site's page sent the request. */
const cookieOf = (request: Request, name: string, rules: AccessRules): string | undefined => {
  const cookies = request.headers.get('cookie')
  if (cookies === null || isCrossSite(request, rules)) return undefined
  for (const pair of cookies.split(';')) {
    const [key, value] = pair.trim().split('=', 2)
    if (key === name) return value
  }
  return undefined
}

/**
 * Reads the client's credentials and address from a request.
 * @throws GatewayError UNAUTHENTICATED or INVALID_INPUT for credentials that cannot be read as one key.
 */
export const clientInfoOf = (request: Request, rules: AccessRules, sessionCookie: string): ClientInfo => ({
  address: clientAddress(request, rules.trustedProxyHops),
  apiKey: apiKeyOf(request),
  session: cookieOf(request, sessionCookie, rules),
})
