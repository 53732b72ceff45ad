import { isoTime } from '../../clock.ts'
import type { AttemptRecord, ExplainedRequest, RequestPage, RequestRecord } from '../../ledger/requests.ts'
import type { RequestDetail } from '../../ledger/types.ts'
import { usdOfNano } from '../../money.ts'

const usd = (nano: number | null): number | null => (nano === null ? null : usdOfNano(nano))
const text = (value: string | null): string | null => (value === '' ? null : value)

const usageJson = (row: RequestRecord | AttemptRecord) => ({
  inputTokens: row.input,
  outputTokens: row.output,
  cachedInputTokens: row.cached,
  cacheWriteInputTokens: row.written,
  cacheWrite1hInputTokens: row.written_1h,
  reasoningTokens: row.reasoning,
  audioInputTokens: row.audio_input,
  audioOutputTokens: row.audio_output,
  imageInputTokens: row.image_input,
  estimated: row.estimated === 1,
})

/** A request as JSON, without its attempts. */
const requestJson = (row: RequestRecord) => ({
  requestId: row.request_id,
  kind: row.kind,
  route: row.route,
  startedAt: isoTime(row.at),
  endedAt: isoTime(row.ended_at),
  caller: row.caller,
  keyId: text(row.key_id),
  requestedModel: text(row.model_asked),
  model: text(row.model),
  provider: text(row.provider),
  arm: row.arm,
  status: row.status,
  outcome: row.outcome,
  code: row.code,
  attempts: row.attempts,
  cache: row.cache,
  usage: usageJson(row),
  costUsd: usd(row.cost_nano),
  costNanoUsd: row.cost_nano === null ? null : String(row.cost_nano),
  savedUsd: usd(row.saved_nano),
  latencyMs: row.latency_ms,
  firstTokenMs: row.first_content_ms,
})

const attemptJson = (row: AttemptRecord) => ({
  target: { provider: row.provider, model: row.model, providerModel: row.vendor_model },
  startedAt: isoTime(row.at),
  endedAt: isoTime(row.ended_at),
  firstTokenMs: row.first_content_ms,
  outcome: row.outcome,
  code: row.code,
  usage: usageJson(row),
  ...(row.unit !== null && { billed: { unit: row.unit, count: row.units } }),
  costUsd: usd(row.cost_nano),
  costNanoUsd: row.cost_nano === null ? null : String(row.cost_nano),
  reportedCostUsd: usd(row.reported_nano),
  computedCostUsd: usd(row.computed_nano),
  serviceTier: row.tier,
  priceVersion: row.price_version,
})

/** The reservation; what was charged of it is the request's cost. */
const budgetJson = ({ budget }: RequestDetail) =>
  budget ? { of: budget.of, day: budget.day, reservedUsd: usdOfNano(budget.reservedNanoUsd) } : null

/** A request with everything that is known of how it was answered. */
export const explainedJson = ({ request, attempts }: ExplainedRequest) => {
  const detail: RequestDetail = JSON.parse(request.detail)
  return {
    request: requestJson(request),
    attempts: attempts.map(attemptJson),
    skipped: detail.skipped ?? [],
    cache: { status: request.cache, savedUsd: usd(request.saved_nano), ...detail.trace },
    limits: [detail.limit, detail.tokenLimit].filter(limit => limit !== undefined),
    budget: budgetJson(detail),
    guardrails: detail.guardrails ?? [],
    tools: detail.tools ?? [],
    timings: {
      latencyMs: request.latency_ms,
      firstTokenMs: request.first_content_ms,
      upstreamMs: detail.upstreamMs,
      waitsMs: detail.waits ?? {},
    },
  }
}

export const requestPageJson = ({ entries, cursor }: RequestPage) => ({
  requests: entries.map(requestJson),
  nextCursor: cursor ?? null,
})
