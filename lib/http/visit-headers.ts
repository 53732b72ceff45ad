import { isRepeated, type ReplyHead } from '../llm/types.ts'
import { type LimitState, upstreamMs, type Visit } from '../visit.ts'

/** OpenAI's words and those of the IETF draft (httpapi-ratelimit-headers-10) for the same thing. */
const limitHeaders = ({ policy, limit, remaining, windowSeconds, resetSeconds }: LimitState) => ({
  'x-ratelimit-limit': String(limit),
  'x-ratelimit-remaining': String(remaining),
  'x-ratelimit-reset': String(resetSeconds),
  'ratelimit-policy': `"${policy}";q=${limit};w=${windowSeconds}`,
  ratelimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
})

/** Source: RFC 9211 (Cache-Status), RFC 9111 5.1 (Age). */
const cacheHeaders = (head: ReplyHead, now: number): Record<string, string> => ({
  'x-gateway-cache': head.cache,
  'cache-status': isRepeated(head) ? 'Parley; hit' : 'Parley; fwd=miss',
  ...(head.storedAt !== undefined && { age: String(Math.max(0, Math.floor((now - head.storedAt) / 1000))) }),
})

const gatewayHeaders = ({ journal }: Visit, now: number): Record<string, string> => {
  const { head, attempts } = journal
  const target = head?.target ?? attempts.at(-1)?.target
  if (!target) return {}
  return {
    'x-gateway-model': target.name,
    'x-gateway-provider': target.provider,
    'x-gateway-attempts': String(attempts.length),
    'x-gateway-fallback': String(head?.fallback ?? false),
    ...(head && cacheHeaders(head, now)),
  }
}

/** Where the time went: waiting for the upstream, and everything of our own. */
const serverTiming = ({ journal, startedAt }: Visit, now: number): string => {
  // The headers leave when the first content is there; what the upstream does after it is not waiting.
  const upstream = upstreamMs(journal, journal.firstContentAt ?? now)
  const gateway = now - startedAt - upstream
  return journal.attempts.length > 0
    ? `upstream;dur=${upstream.toFixed(1)}, gateway;dur=${gateway.toFixed(1)}`
    : `gateway;dur=${gateway.toFixed(1)}`
}

/** What is known of a visit when its headers leave. */
export const visitHeaders = (visit: Visit, now: number): Record<string, string> => ({
  'x-request-id': visit.requestId,
  'server-timing': serverTiming(visit, now),
  ...(visit.journal.limit && limitHeaders(visit.journal.limit)),
  ...gatewayHeaders(visit, now),
})
