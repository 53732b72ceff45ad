import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { RequestContext } from '../request-context.ts'

export type RoleDeps = Readonly<{
  /** Whether anyone can be an admin here: there is an admin token, or a key. */
  hasAdmins: () => Promise<boolean>
}>

const noCredential = (): GatewayError =>
  new GatewayError('UNAUTHENTICATED', 'This URL requires an API key: “Authorization: Bearer <key>”.')

/** Admits callers with a key, or a session of an admin. @throws GatewayError UNAUTHENTICATED */
export const members = <In extends RequestContext, Out>(): Policy<In, Out> =>
  async function members(context, next) {
    if (context.caller.kind !== 'key') throw noCredential()
    return await next(context)
  }

/**
 * Admits admins: the admin token, a key with that role, and their sessions.
 * @throws GatewayError UNAUTHENTICATED without a credential, FORBIDDEN with another role
 */
export const admins = <In extends RequestContext, Out>(): Policy<In, Out> =>
  async function admins(context, next) {
    if (context.caller.kind !== 'key') throw noCredential()
    if (context.caller.role !== 'admin')
      throw new GatewayError('FORBIDDEN', 'Only an admin may do this: this API key has the role “member”.')
    return await next(context)
  }

/** Refuses all requests while there can be no admin. @throws GatewayError FORBIDDEN */
export const switchedOn = <In extends RequestContext, Out>({ hasAdmins }: RoleDeps): Policy<In, Out> =>
  async function switchedOn(context, next) {
    if (!(await hasAdmins()))
      throw new GatewayError(
        'FORBIDDEN',
        'The admin API is switched off; set ADMIN_TOKEN (at least 16 characters) on the gateway to switch it on.',
      )
    return await next(context)
  }
