import { type LookupAddress, lookup as lookUp } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, request } from 'undici'

const CONNECT_MS = 5_000
const WHOLE_MS = 10_000
const MOST_HEADER_BYTES = 16_384

/** Posts JSON text to an address given by a caller. Resolves to the status; redirects are not followed. */
export type PostWebhook = (
  url: string,
  json: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number>

/** One message for all of them: it must not reveal what is in our network. */
const refused = (): Error => new Error('the webhook’s address is not one of the open internet')

/**
 * Resolves a name, and refuses it where any of its addresses is not allowed. Called for each connection, so that the
 * checked address is the one connected to.
 */
const guardedLookup =
  (isAllowed: (address: string) => boolean): LookupFunction =>
  (hostname, options, done) => {
    lookUp(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const [first] = found ?? []
      if (error || !first || !found.every(({ address }) => isAllowed(address))) return done(refused(), '', 0)
      if (options.all) return done(null, found)
      done(null, first.address, first.family)
    })
  }

/** @param isAllowed whether connections to an IP address are allowed */
export const webhookPost = (isAllowed: (address: string) => boolean): PostWebhook => {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_MS, lookup: guardedLookup(isAllowed) },
    headersTimeout: WHOLE_MS,
    bodyTimeout: WHOLE_MS,
    maxHeaderSize: MOST_HEADER_BYTES,
  })
  return async (url, json, headers) => {
    // An IP address is never looked up.
    const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
    if (isIP(host) !== 0 && !isAllowed(host)) throw refused()
    const { statusCode, body } = await request(url, {
      dispatcher,
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: json,
      signal: AbortSignal.timeout(WHOLE_MS),
    })
    body.on('error', () => {}).destroy()
    return statusCode
  }
}
