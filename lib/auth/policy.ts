import type { Caller, KeyIdentity } from '../caller.ts'
import type { Clock } from '../clock.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { ClientInfo, RequestContext } from '../request-context.ts'
import { allowsRoute } from './keys/scopes.ts'
import type { Sessions } from './session.ts'

export type AuthDeps = Readonly<{
  sessions: Sessions
  /** The key of a credential. Rejects with UNAUTHENTICATED, RATE_LIMITED or STORE_UNAVAILABLE. */
  verify: (credential: string, address: string) => Promise<KeyIdentity>
  /** The admin of a session cookie; undefined where it is not valid any more. */
  adminOf: (session: string) => Promise<KeyIdentity | undefined>
  /** Refuses callers without a key. */
  requireApiKey: boolean
  /**
   * Whether there are no keys here. OpenAI's clients always send one, so under /v1 any is then taken for a placeholder,
   * and the caller is anonymous.
   */
  acceptsPlaceholders: () => boolean | Promise<boolean>
  clock: Clock
}>

const guestOf = ({ address, session }: ClientInfo, { sessions, clock }: AuthDeps): Caller => {
  const id = session && sessions.read(session, clock.now())
  return id ? { kind: 'guest', id, address } : { kind: 'anonymous', address }
}

const isPlaceholder = async (
  { route }: RequestContext,
  { acceptsPlaceholders }: AuthDeps,
): Promise<boolean> => route.startsWith('/v1/') && (await acceptsPlaceholders())

/** @param admitsSession whether a session of an admin identifies its caller */
const identify = async (context: RequestContext, deps: AuthDeps, admitsSession: boolean): Promise<Caller> => {
  const { address, apiKey, adminSession } = context.client
  if (apiKey !== undefined && !(await isPlaceholder(context, deps)))
    return { kind: 'key', ...(await deps.verify(apiKey, address)), address }
  const admin = adminSession !== undefined && admitsSession && (await deps.adminOf(adminSession))
  return admin ? { kind: 'key', ...admin, address } : guestOf(context.client, deps)
}

const assertAllowed = (caller: Caller, route: string, requireApiKey: boolean): void => {
  if (caller.kind !== 'key') {
    if (requireApiKey) throw new GatewayError('UNAUTHENTICATED', 'This gateway requires an API key.')
    return
  }
  if (!allowsRoute(caller.scopes, route))
    throw new GatewayError('FORBIDDEN', 'The scopes of this API key do not include this URL.')
}

/**
 * Identifies the caller. An unknown credential is refused rather than ignored: a request with a key never counts as
 * anonymous.
 *
 * @param admitsSession whether a session of an admin is enough; where a key is required, it always is
 */
export const authenticate = <In extends RequestContext, Out>(
  deps: AuthDeps,
  admitsSession = deps.requireApiKey,
): Policy<In, Out> =>
  async function authenticate(context, next) {
    const caller = await identify(context, deps, admitsSession)
    // Also of one that is refused: logs name it.
    context.journal.caller = caller.kind
    context.journal.identity = caller
    assertAllowed(caller, context.route, deps.requireApiKey)
    return await next({ ...context, caller })
  }
