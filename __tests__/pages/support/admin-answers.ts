/** Answers of the admin API that would take weeks of use to come about. Tests check them against their schemas. */

const OWNER = 'team-search'

export const RECOMMENDATIONS = {
  from: '2026-11-21T00:00:00.000Z',
  to: '2026-11-28T00:00:00.000Z',
  requests: 48_201,
  recommendations: [
    {
      kind: 'cheaper-model',
      message:
        '1204 requests of this kind were answered by gpt-4o for $41.20; gpt-4o-mini, which answered 310 of the kind, would have cost $2.49 for their tokens. Compare the answers before you change it.',
      owner: OWNER,
      route: '/v1/chat/completions',
      inputTokens: { from: 1_000, to: 4_000 },
      images: false,
      model: 'gpt-4o',
      requests: 1_204,
      errors: 3,
      costUsd: 41.2,
      alternative: { model: 'gpt-4o-mini', requests: 310, errors: 1, costUsd: 2.487654322 },
      savingUsd: 38.712345678,
      savingNanoUsd: '38712345678',
    },
    {
      kind: 'cache-rule',
      message:
        '310 of 900 requests for gpt-4o-mini repeated an earlier one and its answers are not cached; a rule with ttlSeconds: 3600 would have saved $1.20.',
      model: 'gpt-4o-mini',
      currentTtlSeconds: null,
      ttlSeconds: 3_600,
      requests: 900,
      hits: 310,
      savingUsd: 1.2,
      savingNanoUsd: '1200000000',
    },
    {
      kind: 'prompt-cache',
      message:
        '800 requests to claude-opus-5 began with one of 2 prompts that anthropic did not cache; cached, about 3200000 tokens would have been read at the lower price, which saves $14.10.',
      owner: null,
      provider: 'anthropic',
      model: 'claude-opus-5',
      prefixes: 2,
      requests: 800,
      readTokens: 3_200_000,
      writtenTokens: 8_000,
      savingUsd: 14.1,
      savingNanoUsd: '14100000000',
    },
    {
      kind: 'idle-key',
      message: 'The key “Old dashboard” was last used on 2026-09-01; revoke it if it is not needed.',
      keyId: 'key_0123456789abcdef01234567',
      name: 'Old dashboard',
      owner: OWNER,
      createdAt: '2026-03-01T09:00:00.000Z',
      lastUsedAt: '2026-09-01T09:00:00.000Z',
      savingUsd: 0,
      savingNanoUsd: '0',
    },
  ],
}

const DAY_MS = 86_400_000

/** The usage of the last 30 days. The cost of one of them is unknown in part. */
export const usageByDay = (now: number) => {
  const rows = Array.from({ length: 30 }, (_, index) => {
    const day = new Date(now - index * DAY_MS).toISOString().slice(0, 10)
    const nano = index % 7 === 0 ? 310_000_000 : 4_800_000_000 + ((index * 7_919) % 30) * 312_345_678
    return { day, ...sums(nano, index === 4 ? 12 : 0) }
  })
  const nano = rows.reduce((sum, { costNanoUsd }) => sum + Number(costNanoUsd), 0)
  return {
    from: new Date(now - 30 * DAY_MS).toISOString(),
    to: new Date(now).toISOString(),
    rows,
    total: sums(nano, 12),
  }
}

const sums = (nano: number, unpricedAttempts: number) => ({
  requests: 1_604,
  attempts: 1_622,
  tokens: { input: 1_204_551, cachedInput: 400_000, cacheWrite: 0, output: 98_204, reasoning: 12_000 },
  costUsd: nano / 1e9,
  costNanoUsd: String(nano),
  unpricedAttempts,
  reservedUsd: 0,
  cacheHits: 120,
  cacheHitRate: 0.074,
  savedUsd: 0.512,
  errors: 4,
  errorRate: 0.0025,
  latencyMs: { p50: 820, p95: 3_400, p99: 6_100 },
  firstTokenMs: { p50: 300, p95: 900, p99: 1_800 },
})
