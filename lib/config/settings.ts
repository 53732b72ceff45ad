import type { RateLimits } from '../rate-limit/policy.ts'
import { DEFAULT_IMAGE_CHAIN, type ImageStep } from '../routing/image-chain.ts'
import type { FallbackSwitches } from '../routing/route.ts'
import type { ConfigFile } from './file-schema.ts'
import type { Environment } from './schema.ts'

/** How answers are cached. */
export type CachingSettings = Readonly<{
  /** Whether answers of any model are cached. */
  enabled: boolean
  file: NonNullable<ConfigFile['cache']>
  /** The default where the file sets nothing. */
  defaults: Readonly<{
    enabled: boolean
    ttlSeconds: number
    staleWhileRevalidateSeconds: number
    staleIfErrorSeconds: number
  }>
}>

/** The settings that no operator can change, so far. */
export const FIXED = {
  breaker: {
    longestOpenMs: 120_000,
    /** A circuit opens when too many of the recent calls have failed, or when too many were slow. */
    recentCalls: { failingShare: 0.5, leastCalls: 20, windowMs: 30_000 },
  },
  cooldowns: { longestMs: 300_000, refusedMs: 10_000 },
  retries: { backoff: { baseMs: 250, longestMs: 8_000 }, longestRetryAfterMs: 10_000 },
  /** How long a call waits for a slot at its provider. */
  slots: { waitMs: 5_000 },
  /** How long an answer is read on whose client has gone. */
  drain: { mostMs: 120_000 },
  /** How long a finished stream can be read, and how many are stored. */
  streams: { keptMs: 300_000, most: 1_000, mostBytes: 64 * 1024 * 1024 },
  /** The longest answer of `/api/chat`, where the environment does not say it. */
  responseBytes: { guest: 262_144, key: 1_048_576 },
} as const

/** The settings that can change while the gateway runs. */
export type Settings = Readonly<{
  /** The file's content, for modules that read their own section. */
  file: ConfigFile
  /** Absent where rate limiting is switched off. */
  rates: RateLimits | undefined
  caching: CachingSettings
  budgets: Readonly<{ unpriced: 'refuse' | 'allow'; clamp: boolean }>
  /** Whether requests may refer to every object of the account at a provider; absent: only while there are no keys. */
  vendorObjects: 'refuse' | 'allow' | undefined
  /** The models that make images, best first. */
  imageChain: readonly ImageStep[]
  /** Absent where the file does not set them. */
  fallbackOn: FallbackSwitches | undefined
  timeouts: Readonly<{ firstContentMs: number; idleMs: number; streamMs: number }>
  mostRetries: number
  /** `slowCallMs` is infinite where slow calls do not count. */
  breaker: Readonly<{ failures: number; openMs: number; slowCallMs: number }>
  maxConcurrency: number
  /** Share of calls that may be hedged; 0: none. */
  hedgingShare: number
}>

const ratesOf = (env: Environment, { limits }: ConfigFile): RateLimits => ({
  chat: {
    anonymous: limits?.chat?.anonymous ?? env.RATE_LIMIT_ANONYMOUS,
    guest: limits?.chat?.guest ?? env.RATE_LIMIT_GUEST,
    key: limits?.chat?.key ?? env.RATE_LIMIT_KEY,
  },
  images: limits?.images ?? env.RATE_LIMIT_IMAGES,
  upload: limits?.upload ?? env.RATE_LIMIT_UPLOAD,
  kv: limits?.kv ?? env.RATE_LIMIT_KV,
  evaluation: limits?.evaluation ?? env.RATE_LIMIT_EVALUATION,
  batchItems: {
    anonymous: limits?.batchItems?.anonymous ?? env.RATE_LIMIT_BATCH_ITEMS,
    guest: limits?.batchItems?.guest ?? env.RATE_LIMIT_BATCH_ITEMS_GUEST,
    key: limits?.batchItems?.key ?? env.RATE_LIMIT_BATCH_ITEMS_KEY,
  },
  api: limits?.api ?? limits?.rest ?? env.RATE_LIMIT_REST ?? env.RATE_LIMIT_API,
})

const cachingOf = (env: Environment, file: CachingSettings['file']): CachingSettings => ({
  enabled: (file.enabled ?? env.ENABLE_CACHING) || (file.rules ?? []).some(({ enabled }) => enabled),
  file,
  defaults: {
    enabled: env.ENABLE_CACHING,
    ttlSeconds: env.CACHE_TTL_SECONDS,
    staleWhileRevalidateSeconds: env.CACHE_STALE_WHILE_REVALIDATE_SECONDS,
    staleIfErrorSeconds: env.CACHE_STALE_IF_ERROR_SECONDS,
  },
})

/** The file's settings, and the environment's where the file sets nothing. */
export const settingsOf = (env: Environment, file: ConfigFile): Settings => {
  const { timeouts, retries, breaker, maxConcurrency, hedging } = file.resilience ?? {}
  return {
    file,
    rates: env.ENABLE_RATE_LIMITING ? ratesOf(env, file) : undefined,
    caching: cachingOf(env, file.cache ?? {}),
    budgets: { unpriced: file.budgets?.unpriced ?? 'refuse', clamp: file.budgets?.clamp ?? false },
    vendorObjects: file.vendorObjects,
    imageChain: file.images?.chain ?? DEFAULT_IMAGE_CHAIN,
    fallbackOn: file.fallbackOn,
    timeouts: {
      firstContentMs: timeouts?.firstTokenMs ?? env.FIRST_TOKEN_TIMEOUT_MS ?? env.REQUEST_TIMEOUT_MS,
      idleMs: timeouts?.idleMs ?? env.IDLE_TIMEOUT_MS,
      streamMs: timeouts?.totalMs ?? env.STREAM_TIMEOUT_MS,
    },
    mostRetries: retries?.most ?? env.MAX_RETRIES,
    breaker: {
      failures: breaker?.failures ?? env.BREAKER_FAILURES,
      openMs: breaker?.openMs ?? env.BREAKER_OPEN_MS,
      slowCallMs: breaker?.slowCallMs ?? env.BREAKER_SLOW_CALL_MS ?? Number.POSITIVE_INFINITY,
    },
    maxConcurrency: maxConcurrency ?? env.MAX_CONCURRENCY,
    hedgingShare: hedging?.share ?? env.HEDGE_SHARE,
  }
}
