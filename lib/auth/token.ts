import { createHash, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../errors.ts'

const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest()

/**
 * Lets in whoever sends the one right token, and everybody where none is set. The comparison takes the same
 * time however much of it is right.
 *
 * @throws GatewayError UNAUTHENTICATED
 */
export const assertToken = (expected: string | undefined, sent: string | undefined): void => {
  if (expected === undefined) return
  if (sent === undefined || !timingSafeEqual(digest(expected), digest(sent)))
    throw new GatewayError(
      'UNAUTHENTICATED',
      'This address needs its token: “Authorization: Bearer <token>”.',
    )
}
