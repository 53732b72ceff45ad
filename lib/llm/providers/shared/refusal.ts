import type { Lenient } from './lenient.ts'

/** What vendors of OpenAI's protocol put into a refusal: an `error`, a list with one in it, or its fields themselves. */
type Refusal = Lenient<{
  code: string | number
  type: string
  status: string | number
  message: string
  /** Google's word for what a code is too coarse for, and when it wants to be asked again (`36s`, `0.5s`). */
  details: { reason: string; retryDelay: string }[]
  /** What a moderating vendor objects to. */
  metadata: { reasons: string[]; flagged_input: string }
}>
type Envelope = Refusal & Lenient<{ error: Refusal | string }>

const TOO_LONG =
  /maximum context length|context length of|exceeds the maximum number of tokens|max(imum)? size: \d+ tokens|too large for model with/i

const parse = (body: string): Envelope | undefined => {
  try {
    const value: unknown = JSON.parse(body)
    const first: unknown = Array.isArray(value) ? value[0] : value
    return typeof first === 'object' && first !== null ? (first as Envelope) : undefined
  } catch {
    return undefined
  }
}

const word = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** What was wrong, in OpenAI's word where the vendor says it in a sentence or a word of its own. */
export const wordOf = (error: Refusal): string | undefined => {
  const { code, type, status, message, details, metadata } = error
  if (metadata?.flagged_input || metadata?.reasons?.length) return 'content_filter'
  if (typeof message === 'string' && TOO_LONG.test(message)) return 'context_length_exceeded'
  if (Array.isArray(details) && details.some(detail => detail?.reason === 'API_KEY_INVALID'))
    return 'invalid_api_key'
  return word(code) ?? word(status) ?? word(type)
}

const DELAY = /^(\d+(?:\.\d+)?)s$/

const retryAfterSecondsOf = ({ details }: Refusal): number | undefined => {
  const delays = Array.isArray(details) ? details.map(detail => detail?.retryDelay) : []
  const [, seconds] = DELAY.exec(delays.find(delay => typeof delay === 'string') ?? '') ?? []
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(Number(seconds)))
}

/** What a refusal's body says for itself. */
export type RefusalBody = Readonly<{ code?: string | undefined; retryAfterSeconds?: number | undefined }>

/** Reads a refusal's body; nothing of it where it makes no sense. */
export const refusalBody = (body: string): RefusalBody => {
  const envelope = parse(body)
  const error = envelope?.error ?? envelope
  if (typeof error !== 'object' || error === null) return {}
  return { code: wordOf(error), retryAfterSeconds: retryAfterSecondsOf(error) }
}
