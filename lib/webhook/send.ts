import { createHmac } from 'node:crypto'
import type { PostWebhook } from './post.ts'

export type Webhook = Readonly<{
  url: string
  /** Its kind: `batch.ended`. */
  event: string
  /** The id of this delivery, another one at each attempt. */
  delivery: string
  message: object
}>

export type SendDeps = Readonly<{ post: PostWebhook; secret: string; now: number }>

/**
 * A message's signature and time: `t=<unix seconds>,v1=<hex HMAC-SHA-256 of "t.message">`. Receivers should refuse one
 * that is older than a few minutes.
 */
export const signatureOf = (message: string, secret: string, now: number): string => {
  const seconds = Math.floor(now / 1000)
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${message}`).digest('hex')}`
}

/** Posts a message with its signature, once. Rejects unless it is answered with a status of 200 to 299. */
export const sendWebhook = async (
  { url, event, delivery, message }: Webhook,
  { post, secret, now }: SendDeps,
): Promise<void> => {
  const json = JSON.stringify(message)
  const status = await post(url, json, {
    'x-parley-event': event,
    'x-parley-delivery': delivery,
    'x-parley-signature': signatureOf(json, secret, now),
  })
  if (status < 200 || status >= 300) throw new Error(`the webhook answered ${status}`)
}
