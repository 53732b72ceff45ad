import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Caller, ClientInfo, RequestContext } from '../request-context.ts'
import type { Sessions } from './session.ts'

export type AuthDeps = Readonly<{
  sessions: Sessions
  /** Refuses callers without a key. */
  requireApiKey: boolean
  /**
   * There are no keys here. OpenAI's clients always send one, so under /v1 any is taken for a placeholder, and the caller
   * is anonymous.
   */
  acceptsPlaceholders: boolean
  clock: Clock
}>

const identify = ({ address, session }: ClientInfo, { sessions, clock }: AuthDeps): Caller => {
  const id = session && sessions.read(session, clock.now())
  return id ? { kind: 'guest', id, address } : { kind: 'anonymous', address }
}

/**
 * Identifies the caller. An unknown credential is refused rather than ignored: a request with a key never counts as
 * anonymous.
 */
export const authenticate = <In extends RequestContext, Out>(deps: AuthDeps): Policy<In, Out> =>
  async function authenticate(context, next) {
    const isPlaceholder = deps.acceptsPlaceholders && context.route.startsWith('/v1/')
    if (context.client.apiKey !== undefined && !isPlaceholder)
      throw new GatewayError('UNAUTHENTICATED', 'This API key is not valid.')
    if (deps.requireApiKey) throw new GatewayError('UNAUTHENTICATED', 'This gateway requires an API key.')
    const caller = identify(context.client, deps)
    context.journal.caller = caller.kind
    context.journal.identity = caller
    return await next({ ...context, caller })
  }
