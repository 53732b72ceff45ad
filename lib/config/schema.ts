import { z } from 'zod'
import type { Rate } from '../rate-limit/policy.ts'
import { parseListedHost } from '../validation/host-name.ts'

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const text = z.string().trim().min(1)
const secret = text
/** Sent in a header, which allows no other characters. */
const key = secret.regex(/^[\x21-\x7e]+$/, 'must be printable ASCII without spaces; copy it once more')
const token = key.min(16, 'must have at least 16 characters')
const count = (least: number, most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine(value => value >= least && value <= most, `must be from ${least} to ${most}`)

const share = z
  .string()
  .trim()
  .regex(/^(0|1|0?\.\d{1,6})$/, 'must be a number from 0 to 1')
  .transform(Number)

const flag = z
  .string()
  .trim()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0'], 'must be true or false'))
  .transform(value => value === 'true' || value === '1')

/** A count over a length of time: `5/1m`. */
export const rate = z
  .string()
  .trim()
  .regex(
    /^[1-9]\d{0,8}\/[1-9]\d{0,5}[smhd]$/,
    'must look like 5/1m: a count, a slash, a length in s, m, h or d',
  )
  .transform((value): Rate => {
    const [limit = '', window = ''] = value.split('/')
    return { limit: Number(limit), windowMs: Number(window.slice(0, -1)) * (UNIT_MS[window.slice(-1)] ?? 0) }
  })

const httpUrl = text.pipe(
  z.url({ abort: true, protocol: /^https?$/, error: 'must be an http:// or https:// address' }),
)

/** A base URL, to which paths are added. Credentials in it would appear wherever URLs are shown. */
const baseUrl = httpUrl
  .refine(
    value => !/^[^/]*\/\/[^/?#]*@/.test(value),
    'must hold no user name and password; a provider’s key has a variable of its own',
  )
  .refine(value => !/[?#]/.test(value), 'must have no query (?) and no fragment (#)')

/** `proxy.example:3128` means http. Its user name and password are sent to the proxy. */
const proxyUrl = secret
  .transform(value => (value.includes('://') ? value : `http://${value}`))
  .pipe(
    z
      .url({ protocol: /^https?$/, error: 'must be an http:// or https:// address' })
      .refine(isDecodable, 'must have its user name and password percent-encoded'),
  )

function isDecodable(value: string): boolean {
  try {
    return decodeURIComponent(value) !== ''
  } catch {
    return false
  }
}

/** Brackets around an IPv6 address are only for URLs. */
const host = text.transform(value => value.replace(/^\[(.+)\]$/, '$1'))

const redisUrl = secret.pipe(
  z.url({ abort: true, protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// address' }),
)

const databaseUrl = secret.pipe(
  z.url({
    abort: true,
    protocol: /^postgres(ql)?$/,
    error: 'must be a postgres:// or postgresql:// address',
  }),
)

const list = z.string().transform(value =>
  value
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== ''),
)

const origins = list.refine(
  list => list.every(origin => URL.canParse(origin) && new URL(origin).origin === origin),
  'must be exact origins such as https://app.example.com, separated by commas',
)

const feeds = list.refine(
  list => list.every(feed => /^https?:$/.test(URL.parse(feed)?.protocol ?? '')),
  'must be http:// or https:// addresses of feeds, separated by commas',
)

const hosts = list
  .refine(
    entries => entries.length > 0 && entries.every(entry => parseListedHost(entry) !== undefined),
    'must be host names or IP addresses such as chat.example.com, separated by commas, without scheme or path',
  )
  .transform(entries => entries.flatMap(entry => parseListedHost(entry) ?? []))

const publicUrl = httpUrl.refine(value => {
  const parsed = URL.parse(value)
  return parsed !== null && parsed.href === `${parsed.origin}/`
}, 'must be an address such as https://chat.example.com, without path or credentials')

/** Every environment variable the gateway reads, in its raw form. Unset and empty mean the same. */
export const environment = z.object({
  NODE_ENV: z
    .enum(['production', 'development', 'test'], 'must be production, development or test')
    .default('production'),
  PORT: count(0, 65_535).default(3000),
  HOST: host.optional(),
  PUBLIC_URL: publicUrl.optional(),
  ALLOWED_HOSTS: hosts.optional(),
  /** Path of the optional file of models, prices, routes and limits. */
  GATEWAY_CONFIG: text.optional(),
  DATA_DIR: text.default('./data'),
  ALLOWED_ORIGINS: origins.default([]),
  TRUSTED_PROXY_HOPS: count(0, 10).default(0),
  HSTS_PRELOAD: flag.default(false),
  SHUTDOWN_GRACE_SECONDS: count(0, 600).default(25),
  LOG_LEVEL: z
    .enum(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      'must be trace, debug, info, warn, error, fatal or silent',
    )
    .default('info'),

  DEFAULT_MODEL: text.optional(),
  OPENAI_API_KEY: key.optional(),
  OPENAI_BASE_URL: baseUrl.optional(),
  ANTHROPIC_API_KEY: key.optional(),
  ANTHROPIC_BASE_URL: baseUrl.optional(),
  GEMINI_API_KEY: key.optional(),
  GEMINI_BASE_URL: baseUrl.optional(),
  MISTRAL_API_KEY: key.optional(),
  MISTRAL_BASE_URL: baseUrl.optional(),
  GROQ_API_KEY: key.optional(),
  GROQ_BASE_URL: baseUrl.optional(),
  OPENROUTER_API_KEY: key.optional(),
  OPENROUTER_BASE_URL: baseUrl.optional(),
  AZURE_OPENAI_API_KEY: key.optional(),
  AZURE_OPENAI_BASE_URL: baseUrl.optional(),
  OLLAMA_API_KEY: key.optional(),
  OLLAMA_BASE_URL: baseUrl.optional(),
  VLLM_API_KEY: key.optional(),
  VLLM_BASE_URL: baseUrl.optional(),
  OPENAI_COMPATIBLE_API_KEY: key.optional(),
  OPENAI_COMPATIBLE_BASE_URL: baseUrl.optional(),
  STABILITY_API_KEY: key.optional(),
  STABILITY_BASE_URL: baseUrl.optional(),
  GITHUB_MODELS_TOKEN: key.optional(),
  GITHUB_MODELS_BASE_URL: baseUrl.optional(),
  /** Proxies for calls to providers; also read in lower case, which wins. */
  HTTP_PROXY: proxyUrl.optional(),
  HTTPS_PROXY: proxyUrl.optional(),
  NO_PROXY: text.optional(),
  MOCK_LATENCY_MS: count(0, 600_000).default(200),
  MOCK_CHUNK_MS: count(0, 60_000).default(20),

  REQUIRE_API_KEY: flag.default(false),
  /** The secret of the digests of API keys, which signs sessions too. */
  KEY_PEPPER: secret.min(32, 'must have at least 32 characters').optional(),

  ADMIN_TOKEN: token.optional(),
  METRICS_TOKEN: token.optional(),

  ENABLE_CONSOLE: flag.default(true),
  ENABLE_RATE_LIMITING: flag.default(true),
  ENABLE_CACHING: flag.default(true),
  ENABLE_BATCH: flag.default(true),
  ENABLE_GUARDRAILS: flag.default(true),
  RATE_LIMIT_ANONYMOUS: rate.default({ limit: 5, windowMs: 60_000 }),
  RATE_LIMIT_GUEST: rate.default({ limit: 30, windowMs: 60_000 }),
  RATE_LIMIT_KEY: rate.default({ limit: 100, windowMs: 60_000 }),
  RATE_LIMIT_IMAGES: rate.default({ limit: 10, windowMs: 60_000 }),
  RATE_LIMIT_UPLOAD: rate.default({ limit: 3, windowMs: 3_600_000 }),
  /** Items of jobs submitted as JSON, for anonymous callers, guests, and keys. */
  RATE_LIMIT_BATCH_ITEMS: rate.default({ limit: 10_000, windowMs: 3_600_000 }),
  RATE_LIMIT_BATCH_ITEMS_GUEST: rate.default({ limit: 50_000, windowMs: 3_600_000 }),
  RATE_LIMIT_BATCH_ITEMS_KEY: rate.default({ limit: 200_000, windowMs: 3_600_000 }),
  RATE_LIMIT_KV: rate.default({ limit: 100, windowMs: 60_000 }),
  RATE_LIMIT_EVALUATION: rate.default({ limit: 20, windowMs: 60_000 }),
  RATE_LIMIT_API: rate.default({ limit: 60, windowMs: 60_000 }),
  /** The former name of RATE_LIMIT_API. */
  RATE_LIMIT_REST: rate.optional(),
  REQUEST_TIMEOUT_MS: count(1, 3_600_000).default(30_000),
  /** The time limit of requests for images and audio, which take longer than text. */
  MEDIA_TIMEOUT_MS: count(1, 3_600_000).default(180_000),
  FIRST_TOKEN_TIMEOUT_MS: count(1, 3_600_000).optional(),
  IDLE_TIMEOUT_MS: count(1, 3_600_000).default(30_000),
  STREAM_TIMEOUT_MS: count(1, 86_400_000).default(600_000),
  RESUME_GRACE_SECONDS: count(0, 600).default(15),
  MAX_RETRIES: count(0, 3).default(2),
  HEDGE_SHARE: share.default(0),
  MAX_CONCURRENCY: count(1, 100_000).default(2_000),
  CACHE_TTL_SECONDS: count(1, 31_536_000).default(600),
  CACHE_STALE_WHILE_REVALIDATE_SECONDS: count(0, 31_536_000).default(0),
  CACHE_STALE_IF_ERROR_SECONDS: count(0, 31_536_000).default(0),
  CACHE_MAX_BYTES: count(1_024, 100_000_000_000).default(67_108_864),
  BREAKER_FAILURES: count(1, 1_000).default(3),
  BREAKER_SLOW_CALL_MS: count(1, 3_600_000).optional(),
  BREAKER_OPEN_MS: count(1, 600_000).default(20_000),
  MAX_BODY_BYTES: count(1_024, 100_000_000).default(1_048_576),
  V1_MAX_BODY_BYTES: count(1_024, 100_000_000).default(33_554_432),
  /** Images and audio sent to `/v1`, as a whole request. */
  V1_MAX_UPLOAD_BYTES: count(1_024, 10_000_000_000).default(209_715_200),
  /** All files of `/v1/files` of one owner. */
  V1_MAX_STORED_BYTES: count(1_024, 100_000_000_000_000).default(1_073_741_824),
  MAX_PROMPT_CHARACTERS: count(1, 10_000_000).default(2_000),
  MAX_MESSAGES: count(1, 10_000).default(50),
  MAX_MESSAGES_CHARACTERS: count(1, 10_000_000).default(50_000),
  MAX_OUTPUT_TOKENS: count(1, 10_000_000).default(4_096),
  /** Longest answer of `/api/chat`: for anonymous callers, guests, and keys. */
  MAX_RESPONSE_BYTES: count(1, 1_000_000_000).default(10_240),
  MAX_RESPONSE_BYTES_GUEST: count(1, 1_000_000_000).optional(),
  MAX_RESPONSE_BYTES_KEY: count(1, 1_000_000_000).optional(),

  /** Whether this process runs items, or only accepts them. */
  BATCH_WORKER: flag.default(true),
  BATCH_CONCURRENCY: count(1, 1_000).default(3),
  BATCH_FIRST_TOKEN_TIMEOUT_MS: count(1, 3_600_000).default(300_000),
  BATCH_MAX_BODY_BYTES: count(1_024, 100_000_000).default(4_194_304),
  BATCH_MAX_FILES: count(1, 1_000).default(50),
  BATCH_MAX_FILE_BYTES: count(1, 10_000_000_000).default(50_000_000),
  BATCH_MAX_UPLOAD_BYTES: count(1, 10_000_000_000).default(100_000_000),
  BATCH_MAX_ITEMS: count(1, 1_000_000).default(50_000),
  BATCH_MAX_ITEM_CHARACTERS: count(1, 100_000_000).default(1_000_000),
  BATCH_MAX_RESPONSE_BYTES: count(1, 1_000_000_000).default(1_048_576),
  BATCH_KEEP_DAYS: count(1, 3_650).default(30),
  LEDGER_KEEP_DAYS: count(1, 3_650).default(90),
  RESPONSES_KEEP_DAYS: count(0, 3_650).default(30),
  /** Most characters of all kept answers of one caller, with their requests. */
  RESPONSES_MAX_CHARACTERS: count(1_024, 1_000_000_000).default(67_108_864),
  BATCH_WEBHOOK_SECRET: secret.min(16, 'must have at least 16 characters').optional(),

  /** Where a notice is posted when most of a budget is spent, signed with BATCH_WEBHOOK_SECRET. */
  BUDGET_WEBHOOK_URL: secret.pipe(httpUrl).optional(),

  DATABASE_URL: databaseUrl.optional(),
  /** How long a start waits for a Postgres that is not there yet. */
  DATABASE_WAIT_SECONDS: count(0, 3_600).default(30),

  REDIS_URL: redisUrl.optional(),
  UPSTASH_REDIS_REST_URL: baseUrl.optional(),
  UPSTASH_REDIS_REST_TOKEN: key.optional(),
  REDIS_TIMEOUT_MS: count(1, 60_000).default(100),

  ENABLE_TOOLS: flag.default(true),
  /** The time limit of a whole run of a tool. */
  TOOL_TIMEOUT_MS: count(1, 60_000).default(10_000),
  /** How often a model is asked within one call, where it calls tools of the gateway. */
  TOOL_MAX_ROUNDS: count(1, 32).default(8),
  /** How the gateway introduces itself to the services of tools. */
  TOOL_USER_AGENT: text.regex(/^[\x20-\x7e]+$/, 'must be printable ASCII').optional(),
  OPENWEATHER_API_KEY: key.optional(),
  OPENWEATHER_BASE_URL: baseUrl.default('https://api.openweathermap.org'),
  OPEN_METEO_BASE_URL: baseUrl.optional(),
  OPEN_METEO_GEOCODING_BASE_URL: baseUrl.optional(),
  EXCHANGE_RATE_API_KEY: key.optional(),
  EXCHANGE_RATE_BASE_URL: baseUrl.default('https://v6.exchangerate-api.com'),
  FRANKFURTER_BASE_URL: baseUrl.default('https://api.frankfurter.dev'),
  OPEN_ER_API_BASE_URL: baseUrl.default('https://open.er-api.com'),
  NEWS_API_KEY: key.optional(),
  NEWS_BASE_URL: baseUrl.default('https://newsapi.org'),
  GNEWS_API_KEY: key.optional(),
  GNEWS_BASE_URL: baseUrl.default('https://gnews.io'),
  NEWS_RSS_FEEDS: feeds.default([]),
  GDELT_BASE_URL: baseUrl.default('https://api.gdeltproject.org'),
  TAVILY_API_KEY: key.optional(),
  TAVILY_BASE_URL: baseUrl.default('https://api.tavily.com'),
  BRAVE_API_KEY: key.optional(),
  BRAVE_BASE_URL: baseUrl.default('https://api.search.brave.com'),
  SEARXNG_BASE_URL: baseUrl.optional(),
  WIKIPEDIA_BASE_URL: baseUrl.default('https://en.wikipedia.org'),
  GOOGLE_PLACES_API_KEY: key.optional(),
  GOOGLE_PLACES_BASE_URL: baseUrl.default('https://places.googleapis.com'),
  NOMINATIM_BASE_URL: baseUrl.default('https://nominatim.openstreetmap.org'),

  SENTRY_DSN: httpUrl.optional(),
  /** A setting of Next: set it for `next start`, so that the gateway rather than Next handles SIGTERM. */
  NEXT_MANUAL_SIG_HANDLE: flag.default(false),
})

export type Environment = z.output<typeof environment>

/** Variables whose value is never shown, in a fault or anywhere else. */
export const SECRETS = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'GEMINI_API_KEY',
  'MISTRAL_API_KEY',
  'GROQ_API_KEY',
  'OPENROUTER_API_KEY',
  'AZURE_OPENAI_API_KEY',
  'OLLAMA_API_KEY',
  'VLLM_API_KEY',
  'OPENAI_COMPATIBLE_API_KEY',
  'STABILITY_API_KEY',
  'GITHUB_MODELS_TOKEN',
  'OPENWEATHER_API_KEY',
  'EXCHANGE_RATE_API_KEY',
  'NEWS_API_KEY',
  'GNEWS_API_KEY',
  'TAVILY_API_KEY',
  'BRAVE_API_KEY',
  'GOOGLE_PLACES_API_KEY',
  'KEY_PEPPER',
  'ADMIN_TOKEN',
  'METRICS_TOKEN',
  'SENTRY_DSN',
  'BATCH_WEBHOOK_SECRET',
  'BUDGET_WEBHOOK_URL',
  'DATABASE_URL',
  'REDIS_URL',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'UPSTASH_REDIS_REST_TOKEN',
] as const satisfies readonly (keyof Environment)[]

/** Variables that need another one. */
export const NEEDED = { BUDGET_WEBHOOK_URL: 'BATCH_WEBHOOK_SECRET' } as const
/** Secrets of the operator's own choice, which are checked in production. */
export const CHOSEN_SECRETS = ['KEY_PEPPER', 'ADMIN_TOKEN', 'METRICS_TOKEN', 'BATCH_WEBHOOK_SECRET'] as const

/** Variables that must be set together. */
export const TOGETHER = [['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN']] as const
