import { createHash, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { ClientInfo } from '../request-context.ts'
import { type Guesses, tooManyGuesses } from './guesses.ts'

export type TokenDeps = Readonly<{
  /** The expected token. */
  token: string
  guesses: Guesses
}>

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/** Compares in constant time. */
const isRight = (token: string, sent: string): boolean => timingSafeEqual(digest(token), digest(sent))

/**
 * Admits requests with the right token, which is never refused because of wrong ones.
 * @throws GatewayError UNAUTHENTICATED without it; RATE_LIMITED after too many wrong ones.
 */
export const assertToken = ({ token, guesses }: TokenDeps, { address, apiKey: sent }: ClientInfo): void => {
  const message = 'This URL requires a token: “Authorization: Bearer <token>”.'
  if (sent === undefined) throw new GatewayError('UNAUTHENTICATED', message)
  if (isRight(token, sent)) return
  const waitMs = guesses.waitMs(address)
  if (waitMs > 0) throw tooManyGuesses(waitMs)
  guesses.wrong(address)
  throw new GatewayError('UNAUTHENTICATED', message)
}
