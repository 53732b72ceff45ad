import type { KeyRecord } from '../../auth/keys/types.ts'
import { isoTimeOrNull } from '../../clock.ts'
import { usdOfNano } from '../../money.ts'

const usdOf = (nano: number | undefined): number | undefined =>
  nano === undefined ? undefined : usdOfNano(nano)

const stateOf = (key: KeyRecord, now: number): 'active' | 'revoked' | 'expired' => {
  const ends = [key, key.makersEnd ?? {}]
  if (ends.some(({ revokedAt }) => revokedAt !== undefined)) return 'revoked'
  return ends.some(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt <= now) ? 'expired' : 'active'
}

/** A key as its owner sees it. Restrictions that it does not have are absent. */
export const keyJson = (key: KeyRecord, now: number) => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  owner: key.owner ?? null,
  role: key.role,
  state: stateOf(key, now),
  scopes: { routes: key.scopes?.routes, models: key.scopes?.models },
  limits: {
    requestsPerMinute: key.limits?.requestsPerMinute,
    tokensPerMinute: key.limits?.tokensPerMinute,
    concurrency: key.limits?.concurrency,
  },
  budgetUsd: { day: usdOf(key.budget?.dayNanoUsd), month: usdOf(key.budget?.monthNanoUsd) },
  madeBy: key.madeBy,
  createdAt: isoTimeOrNull(key.createdAt),
  expiresAt: isoTimeOrNull(key.expiresAt),
  revokedAt: isoTimeOrNull(key.revokedAt),
  lastUsedAt: isoTimeOrNull(key.lastUsedAt),
})

/** A key with its secret, which is shown this once. */
export const madeKeyJson = ({ key, secret }: Readonly<{ key: KeyRecord; secret: string }>, now: number) => {
  const { id, ...rest } = keyJson(key, now)
  return { id, key: secret, ...rest }
}
