/** The types of `/api/admin`, as its public contract defines them. */

export type Admin = { id: string; name: string; role: 'admin' }

export type Role = 'member' | 'admin'

export type ApiKey = {
  id: string
  name: string
  /** The beginning of its secret. */
  prefix: string
  owner: string | null
  role: Role
  state: 'active' | 'revoked' | 'expired'
  scopes: { routes?: string[]; models?: string[] }
  limits: { requestsPerMinute?: number; tokensPerMinute?: number; concurrency?: number }
  budgetUsd: { day?: number; month?: number }
  /** The id of the key that made it; `admin` for the admin token. */
  madeBy: string
  createdAt: string | null
  /** `null` where it was never used; absent where the gateway does not record it. */
  lastUsedAt?: string | null
  expiresAt: string | null
  revokedAt: string | null
}

/** A key with its secret, which the gateway sends only once. */
export type MadeKey = ApiKey & { key: string }

export type KeysPage = { keys: ApiKey[]; nextCursor: string | null }

/** A budget in one period; `null` where there is no limit. */
export type PeriodBudget = {
  /** `2026-11-28` or `2026-11`, in UTC. */
  period: string
  limitUsd: number | null
  /** Whole nanodollars, in decimal. */
  spentNanoUsd: string
  reservedNanoUsd: string
  renewsAt: string
}

export type Budget = {
  /** `all`, `owner:NAME` or `key:ID`. */
  scope: string
  budgetUsd: { day: number | null; month: number | null }
  day: PeriodBudget
  month: PeriodBudget
}

export type BudgetsPage = { budgets: Budget[]; nextCursor: string | null }

export type UsageSums = {
  requests: number
  attempts: number
  tokens: { input: number; cachedInput: number; cacheWrite: number; output: number; reasoning: number }
  /** `null` where the price is unknown. */
  costUsd: number | null
  /** Whole nanodollars, in decimal, of the attempts whose price is known. */
  costNanoUsd: string
  unpricedAttempts: number
  cacheHits: number
  savedUsd: number
  errors: number
  latencyMs: { p50: number | null; p95: number | null }
}

export type UsageRow = UsageSums & {
  model?: string | null
  keyId?: string | null
  name?: string | null
  owner?: string | null
  day?: string | null
}

export type UsageReport = { from: string; to: string; rows: UsageRow[]; total: UsageSums }

type Saving = { message: string; savingNanoUsd: string }

export type Recommendation = Saving &
  (
    | {
        kind: 'cheaper-model'
        owner: string | null
        route: string
        inputTokens: { from: number; to: number }
        model: string
        requests: number
        errors: number
        alternative: { model: string; requests: number; errors: number }
      }
    | { kind: 'cache-rule'; model: string; ttlSeconds: number; requests: number; hits: number }
    | {
        kind: 'prompt-cache'
        owner: string | null
        provider: string
        model: string
        requests: number
        readTokens: number
        writtenTokens: number
      }
    | { kind: 'idle-key'; owner: string | null; keyId: string }
  )

export type Recommendations = {
  from: string
  to: string
  requests: number
  recommendations: Recommendation[]
}
