import type { RouteResponse } from '../../route-response.ts'

/** A count of tokens: the vendor's own answer as JSON text, or an estimate. */
type Count = Readonly<{ kind: 'counted'; json: string }> | Readonly<{ kind: 'estimated'; tokens: number }>

/** A count as Anthropic's `POST /v1/messages/count_tokens` answers it. */
export const countResponse = (count: Count): RouteResponse =>
  count.kind === 'counted'
    ? { text: { type: 'application/json; charset=utf-8', body: count.json } }
    : { json: { input_tokens: count.tokens }, headers: { 'x-gateway-estimated': 'true' } }
