import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Guest sessions, which the web page uses in place of a key. */
export interface Sessions {
  /** A new session's cookie value. */
  issue(now: number): string
  /** The guest's id; undefined where the value is not one of ours, too old, or more than five minutes in the future. */
  read(value: string, now: number): string | undefined
}

export const SESSION_COOKIE = 'parley_session'
export const SESSION_SECONDS = 30 * 24 * 60 * 60

/** How far the clocks of gateways that share a secret may differ. */
const SKEW_SECONDS = 300
const ID_BYTES = 18
const SHAPE = /^([\w-]{24})\.(\d{10})\.([\w-]{43})$/

/**
 * Sessions that carry their own proof, `id.issuedAt.signature`, so that no store is needed.
 *
 * @param secret signs them (HMAC-SHA-256); another secret makes all of them invalid.
 */
export const signedSessions = (secret: string | Uint8Array): Sessions => {
  const sign = (payload: string): string =>
    createHmac('sha256', secret).update(`parley guest session ${payload}`).digest('base64url')

  return {
    issue(now) {
      const payload = `${randomBytes(ID_BYTES).toString('base64url')}.${Math.floor(now / 1000)}`
      return `${payload}.${sign(payload)}`
    },
    read(value, now) {
      const [, id, issuedAt, signature] = SHAPE.exec(value) ?? []
      if (!id || !issuedAt || !signature) return undefined
      const expected = sign(`${id}.${issuedAt}`)
      if (!timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return undefined
      const ageSeconds = now / 1000 - Number(issuedAt)
      return ageSeconds >= -SKEW_SECONDS && ageSeconds < SESSION_SECONDS ? id : undefined
    },
  }
}
