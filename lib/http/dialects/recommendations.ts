import type { Recommendations } from '../../ledger/recommendations/recommend.ts'
import type {
  CacheRuleHint,
  CheaperModel,
  IdleKey,
  PromptCacheHint,
  Recommendation,
} from '../../ledger/recommendations/types.ts'
import { usdOfNano } from '../../money.ts'
import { ownerName } from './usage.ts'

const HOUR_SECONDS = 3_600

const time = (at: number): string => new Date(at).toISOString()
const dollars = (nano: number): string => `$${usdOfNano(nano).toFixed(2)}`
const hours = (seconds: number): string =>
  seconds < HOUR_SECONDS ? `${seconds} s` : `${Math.round(seconds / HOUR_SECONDS)} h`

const cheaperModel = (found: CheaperModel) => {
  const { owner, route, inputTokens, images, model, requests, errors, alternative } = found
  return {
    kind: found.kind,
    message:
      `${requests} requests of this kind were answered by ${model} for ${dollars(found.costNano)}; ` +
      `${alternative.model}, which answered ${alternative.requests} of the kind, would have cost ` +
      `${dollars(alternative.costNano)} for their tokens. Compare the answers before you change it.`,
    owner: ownerName(owner),
    route,
    inputTokens,
    images,
    model,
    requests,
    errors,
    costUsd: usdOfNano(found.costNano),
    alternative: {
      model: alternative.model,
      requests: alternative.requests,
      errors: alternative.errors,
      costUsd: usdOfNano(alternative.costNano),
    },
  }
}

const cacheRule = ({
  kind,
  model,
  currentTtlSeconds,
  ttlSeconds,
  requests,
  hits,
  savedNano,
}: CacheRuleHint) => ({
  kind,
  message:
    `${hits} of ${requests} requests for ${model} repeated an earlier one ` +
    `${currentTtlSeconds === undefined ? 'and its answers are not cached' : `after the ${hours(currentTtlSeconds)} for which its answers are cached`}; ` +
    `a rule with ttlSeconds: ${ttlSeconds} would have saved ${dollars(savedNano)}.`,
  model,
  currentTtlSeconds: currentTtlSeconds ?? null,
  ttlSeconds,
  requests,
  hits,
})

const promptCache = (found: PromptCacheHint) => {
  const { kind, owner, provider, model, prefixes, requests, readTokens, writtenTokens, savedNano } = found
  return {
    kind,
    message:
      `${requests} requests to ${model} began with one of ${prefixes} prompts that ${provider} did not cache; ` +
      `cached, about ${readTokens} tokens would have been read at the lower price, which saves ${dollars(savedNano)}.`,
    owner: ownerName(owner),
    provider,
    model,
    prefixes,
    requests,
    readTokens,
    writtenTokens,
  }
}

const idleKey = ({ kind, keyId, name, owner, createdAt, lastUsedAt }: IdleKey) => ({
  kind,
  message: `The key “${name}” ${lastUsedAt === undefined ? 'was never used' : `was last used on ${time(lastUsedAt).slice(0, 10)}`}; revoke it if it is not needed.`,
  keyId,
  name,
  owner: owner ?? null,
  createdAt: time(createdAt),
  lastUsedAt: lastUsedAt === undefined ? null : time(lastUsedAt),
})

const figures = (found: Recommendation) => {
  switch (found.kind) {
    case 'cheaper-model':
      return cheaperModel(found)
    case 'cache-rule':
      return cacheRule(found)
    case 'prompt-cache':
      return promptCache(found)
    case 'idle-key':
      return idleKey(found)
  }
}

/** Recommendations as JSON. */
export const recommendationsJson = ({ from, to, requests, recommendations }: Recommendations) => ({
  from: time(from),
  to: time(to),
  requests,
  recommendations: recommendations.map(found => ({
    ...figures(found),
    savingUsd: usdOfNano(found.savedNano),
    savingNanoUsd: String(found.savedNano),
  })),
})
