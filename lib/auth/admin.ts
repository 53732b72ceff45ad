import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Visit } from '../visit.ts'
import { assertToken } from './token.ts'

/**
 * Lets in whoever sends the admin token, as a bearer or `x-api-key`; where none is set, nobody.
 * @throws GatewayError FORBIDDEN while the admin API is switched off, UNAUTHENTICATED for another token.
 */
export const administer = <In extends Visit, Out>(token: string | undefined): Policy<In, Out> =>
  async function administer(visit, next) {
    if (token === undefined)
      throw new GatewayError(
        'FORBIDDEN',
        'The admin API is switched off; set ADMIN_TOKEN (at least 16 characters) on the gateway to switch it on.',
      )
    assertToken(token, visit.origin.apiKey)
    return await next(visit)
  }
