import { STATUS_CODES } from 'node:http'
import type { GatewayError } from '../errors.ts'
import { isRepeated, type ReplyHead, type Usage } from '../llm/types.ts'
import { usdOf } from '../money.ts'
import {
  type GuardrailFinding,
  type LimitState,
  type RequestContext,
  upstreamMs,
} from '../request-context.ts'

/** Observes a body while it is sent. */
export type BodyObserver = Readonly<{
  /** Called with each piece before it is sent. */
  onPiece: (piece: Uint8Array) => void
  /** Called where the body is complete, before its end is sent: that waits. Not called for one that fails or is cut. */
  onComplete: () => Promise<void>
}>

/** A route's response, without the headers that every response has. */
export type RouteResponse = Readonly<{
  /** 200 when absent. */
  status?: number
  headers?: Readonly<Record<string, string>>
  /** A value to send as JSON; with `body` absent too, the response is empty. */
  json?: unknown
  /** A body of another kind, with its content type. */
  text?: Readonly<{ type: string; body: string }>
  /** A body that is written as it is produced. */
  stream?: ReadableStream<Uint8Array>
  /** Settles when a streamed response has ended, in whatever way. */
  ended?: Promise<void>
  /** Observes a streamed body. Called before it is read; settles when the body has ended, in whatever way. */
  observe?: (observer: BodyObserver) => Promise<void>
}>

export type ResponseHead = Readonly<{
  status: number
  statusText: string
  headers: Readonly<Record<string, string>>
}>
type ResponseConstructor = new (body: BodyInit | null, head: ResponseHead) => Response

let ResponseClass: ResponseConstructor = Response

/** Lets a server with a faster `Response` than the platform's install it, once at start. */
export const buildResponsesWith = (faster: ResponseConstructor): void => {
  ResponseClass = faster
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }
const EVENT_STREAM = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' }

const typeOf = ({ stream, text, json }: RouteResponse): Readonly<Record<string, string>> => {
  if (stream) return EVENT_STREAM
  if (text) return { 'content-type': text.type }
  return json === undefined ? {} : JSON_TYPE
}

/** The text of a response that is not streamed, and its content type; both undefined where it is empty. */
export const bodyOf = (response: RouteResponse) => ({
  type: typeOf(response)['content-type'],
  text: response.text?.body ?? jsonOf(response) ?? undefined,
})

/** The response with its JSON as text. */
export const withTextBody = (response: RouteResponse): RouteResponse => {
  const { json, ...others } = response
  const { type, text } = bodyOf(response)
  return type === undefined || text === undefined ? others : { ...others, text: { type, body: text } }
}

const jsonOf = ({ json }: RouteResponse): string | null => (json === undefined ? null : JSON.stringify(json))

/** The response as a web Response, with `headers` for those it does not set itself. */
export const toResponse = (response: RouteResponse, headers: Readonly<Record<string, string>>): Response => {
  const status = response.status ?? 200
  const body = response.stream ?? response.text?.body ?? jsonOf(response)
  return new ResponseClass(body, {
    status,
    statusText: STATUS_CODES[status] ?? '',
    headers: { ...headers, ...typeOf(response), ...response.headers },
  })
}

/** Rate limits in OpenAI's headers and those of the IETF draft (httpapi-ratelimit-headers-10). */
const limitHeaders = ({ name, limit, remaining, windowSeconds, resetSeconds }: LimitState) => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(resetSeconds),
  'ratelimit-policy': `"${name}";q=${limit};w=${windowSeconds}`,
  ratelimit: `"${name}";r=${remaining};t=${resetSeconds}`,
})

const SECONDS_PER_MINUTE = 60

/** A duration as Go writes it, and OpenAI's clients read it: `7s`, `1m0s`. */
const goDuration = (seconds: number): string => {
  const minutes = Math.floor(seconds / SECONDS_PER_MINUTE)
  return `${minutes > 0 ? `${minutes}m` : ''}${seconds - minutes * SECONDS_PER_MINUTE}s`
}

/** A rate limit in the headers of OpenAI's API. */
const openAiLimitHeaders = (
  of: 'requests' | 'tokens',
  { limit, remaining, resetSeconds }: LimitState,
): Record<string, string> => ({
  [`x-ratelimit-limit-${of}`]: String(limit),
  [`x-ratelimit-remaining-${of}`]: String(remaining),
  [`x-ratelimit-reset-${of}`]: goDuration(resetSeconds),
})

/** Whether the gateway has repeated a failed call itself. Where the error says when to retry, clients still may. */
const isExhausted = ({ attempts }: RequestContext['journal'], error: GatewayError | undefined): boolean =>
  error !== undefined && error.status >= 500 && error.status !== 503 && attempts.length > 1

const openAiHeaders = (
  { requestId, journal, startedAt }: RequestContext,
  now: number,
  error: GatewayError | undefined,
): Record<string, string> => ({
  // The name that Anthropic's clients read.
  'request-id': requestId,
  ...(journal.limit && openAiLimitHeaders('requests', journal.limit)),
  ...(journal.tokenLimit && openAiLimitHeaders('tokens', journal.tokenLimit)),
  ...(isExhausted(journal, error) && { 'x-should-retry': 'false' }),
  'openai-processing-ms': String(Math.round(now - startedAt)),
})

/** Source: RFC 9211. `ttl` is negative for a stale answer. */
const cacheStatus = (head: ReplyHead, now: number): string => {
  const { forwarded, collapsed, freshUntil, detail } = head.cacheTrace ?? {}
  let status = `Parley; ${forwarded || !isRepeated(head) ? `fwd=${forwarded ?? 'miss'}` : 'hit'}`
  if (collapsed) status += '; collapsed'
  if (freshUntil !== undefined) status += `; ttl=${Math.floor((freshUntil - now) / 1000)}`
  return detail === undefined ? status : `${status}; detail=${detail}`
}

/** Source: RFC 9111 5.1 (Age). */
const cacheHeaders = (head: ReplyHead, now: number): Record<string, string> => ({
  'x-gateway-cache': head.cache,
  'cache-status': cacheStatus(head, now),
  ...(head.storedAt !== undefined && { age: String(Math.max(0, Math.floor((now - head.storedAt) / 1000))) }),
})

/** Clients refuse headers that are much longer. */
const MOST_NAMES = 50
const LONGEST_NAME = 64

/** What an operator has named, as a header can hold it. */
const inHeader = (name: string): string => name.replaceAll(/[^\x20-\x7e]/g, '?')

/** Names of parameters, which clients choose: some may hold what no header may, or be very long or many. */
const namesInHeader = (names: readonly string[]): string => {
  const some = names
    .slice(0, MOST_NAMES)
    .map(name => name.slice(0, LONGEST_NAME).replaceAll(/[^\x21-\x7e]/g, '?'))
  return [...some, ...(names.length > MOST_NAMES ? ['...'] : [])].join(', ')
}

const MOST_WARNINGS = 10
const LONGEST_WARNING = 200

/** Source: RFC 9651: a list of strings. They may repeat a client's words, and Node's clients take 16 KiB of headers. */
const warningsHeader = (warnings: readonly string[]): string =>
  warnings
    .slice(0, MOST_WARNINGS)
    .map(text =>
      text
        .slice(0, LONGEST_WARNING)
        .replaceAll('’', "'")
        .replaceAll(/[^\x20-\x7e]|["\\]/g, '?'),
    )
    .map(text => `"${text}"`)
    .join(', ')

/** Source: RFC 9651: a list of tokens with parameters. Names of rules may be the operator's. */
const guardrailHeader = (findings: readonly GuardrailFinding[]): string =>
  findings
    .slice(0, MOST_NAMES)
    .map(
      ({ rail, action, place, rule, count }) =>
        `${rail};action=${action};place=${place};rule="${rule.slice(0, LONGEST_NAME).replaceAll(/[^\x20-\x7e]|["\\]/g, '?')}"${count > 1 ? `;count=${count}` : ''}`,
    )
    .join(', ')

/** What the guardrails found so far, but for what was only counted. */
const guardrailHeaders = ({ guardrails = [] }: RequestContext['journal']): Record<string, string> => {
  const reported = guardrails.filter(({ isShadow }) => !isShadow)
  return reported.length === 0 ? {} : { 'x-gateway-guardrails': guardrailHeader(reported) }
}

const FREE = { 'x-gateway-cost-usd': '0' }

const gatewayHeaders = ({ journal }: RequestContext, now: number): Record<string, string> => {
  const { head, attempts } = journal
  const target = head?.target ?? attempts.at(-1)?.target
  if (!target) return {}
  return {
    'x-gateway-model': inHeader(target.name),
    'x-gateway-provider': target.provider,
    'x-gateway-attempts': String(attempts.length),
    'x-gateway-fallback': String(head?.fallback ?? false),
    ...(head?.omitted && { 'x-gateway-params-dropped': namesInHeader(head.omitted) }),
    ...(head?.warnings && { 'x-gateway-warnings': warningsHeader(head.warnings) }),
    ...(journal.arm !== undefined && { 'x-gateway-arm': inHeader(journal.arm) }),
    ...(head && cacheHeaders(head, now)),
    // An answer that was paid for before.
    ...(head && isRepeated(head) && FREE),
  }
}

/** Shorter durations are left out. */
const LEAST_MS = 0.1
const WAITS = ['limit', 'cache', 'queue', 'retry'] as const

/** How the time until the headers was spent: on each kind of waiting, and in the gateway itself. */
const serverTiming = ({ journal, startedAt }: RequestContext, now: number): string => {
  let entries = ''
  let ours = now - startedAt
  const append = (what: string, took: number): void => {
    if (took < LEAST_MS) return
    entries += `${what};dur=${took.toFixed(1)}, `
    ours -= took
  }
  if (journal.waits) for (const what of WAITS) append(what, journal.waits[what] ?? 0)
  // The headers are sent with the first content; later upstream time is not waiting.
  append('upstream', upstreamMs(journal, journal.firstContentAt ?? now))
  return `${entries}gateway;dur=${Math.max(0, ours).toFixed(1)}`
}

/** Headers from what is known of a request when its headers are sent. */
export const contextHeaders = (
  context: RequestContext,
  now: number,
  error?: GatewayError,
): Record<string, string> => ({
  'x-request-id': context.requestId,
  'server-timing': serverTiming(context, now),
  ...(context.journal.limit && limitHeaders(context.journal.limit)),
  ...(context.route.startsWith('/v1/') && openAiHeaders(context, now, error)),
  ...guardrailHeaders(context.journal),
  ...gatewayHeaders(context, now),
})

/** A number without an exponent, which few header parsers expect. */
const decimal = (value: number): string => {
  const shortest = String(value)
  return shortest.includes('e') ? value.toFixed(12).replace(/\.?0+$/, '') : shortest
}

/** The cost of a whole answer as a header; none where it is unknown. */
export const costHeaders = ({ costPicoUsd }: Usage): Readonly<Record<string, string>> =>
  costPicoUsd === undefined ? {} : { 'x-gateway-cost-usd': decimal(usdOf(costPicoUsd)) }
