import type { Caller, KeyIdentity } from '../../caller.ts'
import { GatewayError } from '../../errors.ts'
import type { Acting } from './service.ts'

/** The key of a caller. @throws GatewayError UNAUTHENTICATED for other callers */
export const keyOf = (caller: Caller): KeyIdentity => {
  if (caller.kind === 'key') return caller
  throw new GatewayError('UNAUTHENTICATED')
}

/** Access to the caller's own keys. */
export const actingAs = (caller: Caller): Acting => ({ member: keyOf(caller) })
