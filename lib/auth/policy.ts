import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Caller, Origin, Visit } from '../visit.ts'
import type { Sessions } from './session.ts'

export type AuthParts = Readonly<{
  sessions: Sessions
  /** Turns away whoever has no key. */
  requireApiKey: boolean
  clock: Clock
}>

const identify = ({ address, session }: Origin, { sessions, clock }: AuthParts): Caller => {
  const id = session && sessions.read(session, clock.now())
  return id ? { kind: 'guest', id, address } : { kind: 'anonymous', address }
}

/**
 * Finds out who is asking. A credential that is not known is refused rather than passed over: whoever sends a
 * key means to be somebody.
 */
export const authenticate = <In extends Visit, Out>(parts: AuthParts): Policy<In, Out> =>
  async function authenticate(visit, next) {
    if (visit.origin.apiKey !== undefined)
      throw new GatewayError('UNAUTHENTICATED', 'This API key is not known here.')
    if (parts.requireApiKey)
      throw new GatewayError('UNAUTHENTICATED', 'This gateway answers only callers with an API key.')
    const caller = identify(visit.origin, parts)
    visit.journal.caller = caller.kind
    return await next({ ...visit, caller })
  }
