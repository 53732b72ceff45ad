import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { RequestContext } from '../request-context.ts'
import { assertToken, type TokenDeps } from './token.ts'

/**
 * Admits requests with the admin token, as a bearer or `x-api-key`; none at all where no token is set.
 * @throws GatewayError FORBIDDEN while the admin API is switched off, UNAUTHENTICATED for
 * another token, RATE_LIMITED after too many of them.
 */
export const administer = <In extends RequestContext, Out>(deps: TokenDeps): Policy<In, Out> =>
  async function administer(context, next) {
    if (deps.token === undefined)
      throw new GatewayError(
        'FORBIDDEN',
        'The admin API is switched off; set ADMIN_TOKEN (at least 16 characters) on the gateway to switch it on.',
      )
    assertToken(deps, context.client)
    return await next(context)
  }
