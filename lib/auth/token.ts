import { createHash, timingSafeEqual } from 'node:crypto'
import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import type { ClientInfo, RequestContext } from '../request-context.ts'
import type { Guesses } from './guesses.ts'

export type TokenDeps = Readonly<{
  /** The expected token; when absent, every request is admitted. */
  token: string | undefined
  guesses: Guesses
  /**
   * Whether an address that has sent too many wrong tokens is refused even with the right one, so that guessing is
   * useless. Otherwise the right token is never refused.
   */
  locksOut: boolean
}>

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** Compares in constant time. */
const isRight = (token: string, sent: string): boolean => timingSafeEqual(digest(token), digest(sent))

const tooMany = (waitMs: number): GatewayError => {
  const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
  const message = `Too many wrong tokens came from this address. Try again in ${retryAfterSeconds} s.`
  return new GatewayError('RATE_LIMITED', message, { retryAfterSeconds })
}

/**
 * Admits requests with the right token.
 * @throws GatewayError UNAUTHENTICATED without it; RATE_LIMITED after too many wrong ones.
 */
export const assertToken = (
  { token, guesses, locksOut }: TokenDeps,
  { address, apiKey: sent }: ClientInfo,
): void => {
  if (token === undefined) return
  const message = 'This URL requires a token: “Authorization: Bearer <token>”.'
  if (sent === undefined) throw new GatewayError('UNAUTHENTICATED', message)
  const waitMs = guesses.waitMs(address)
  const right = isRight(token, sent)
  if (waitMs > 0 && (locksOut || !right)) throw tooMany(waitMs)
  if (right) return
  guesses.wrong(address)
  throw new GatewayError('UNAUTHENTICATED', message)
}

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
