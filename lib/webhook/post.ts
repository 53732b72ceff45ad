import { isIP } from 'node:net'
import { Agent, request } from 'undici'
import { guardedLookup } from '../public-address.ts'

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

/** @param isAllowed whether connections to an IP address are allowed */
export const webhookPost = (isAllowed: (address: string) => boolean): PostWebhook => {
  const dispatcher = new Agent({
    connect: { timeout: CONNECT_MS, lookup: guardedLookup(isAllowed, refused) },
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
