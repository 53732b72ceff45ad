import type { KeyIdentity } from '../caller.ts'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { Call, Reply, WireFormat } from '../llm/types.ts'
import { allowsRoute } from './keys/scopes.ts'

export type BatchItemDeps = Readonly<{
  /** The key of an id; undefined where it is not valid any more. Rejects with STORE_UNAVAILABLE. */
  activeById: (id: string) => Promise<KeyIdentity | undefined>
}>

const ROUTES: Readonly<Record<WireFormat, string>> = {
  'openai-chat': '/v1/chat/completions',
  'anthropic-messages': '/v1/messages',
  'openai-responses': '/v1/responses',
}

/** The route of items whose requests are for routes of `/v1`. */
const V1_ROUTE = '/v1/batches'

/** The route that the request of an item is for; that of its batch where it has none. */
const routeOf = ({ route, raw, passthrough }: Call): string => {
  if (route !== V1_ROUTE) return route
  if (passthrough) return `/v1/${passthrough.endpoint}`
  return raw ? ROUTES[raw.format] : route
}

/**
 * Lets an item of a batch run as the key that its batch was submitted with, as that key is now.
 * @throws GatewayError UNAUTHENTICATED where the key has ended meanwhile, FORBIDDEN outside its scopes
 */
export const asKeyOfBatch = ({ activeById }: BatchItemDeps): Policy<Call, Reply> =>
  async function asKeyOfBatch(call, next) {
    const { caller } = call
    if (caller.kind !== 'key') return await next(call)
    const key = await activeById(caller.id)
    if (!key)
      throw new GatewayError('UNAUTHENTICATED', 'The API key of this batch is revoked or has expired.')
    const route = routeOf(call)
    if (!allowsRoute(key.scopes, route))
      throw new GatewayError('FORBIDDEN', `The scopes of the batch's API key do not include ${route}.`)
    const identity = { kind: 'key', ...key, address: caller.address } as const
    call.journal.identity = identity
    return await next({ ...call, caller: identity })
  }
