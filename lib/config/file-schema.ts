import { z } from 'zod'
import { CACHE_KINDS } from '../cache-kinds.ts'
import { TAG, TAG_RULE } from '../validation/tags.ts'
import { guardrails } from './guardrails/schema.ts'
import { rate } from './schema.ts'

const name = z.string().min(1).max(200)
const names = z.array(name).max(20)
/** A tag in the form that an invalidation accepts. */
const tags = z.array(z.string().regex(TAG, TAG_RULE)).max(20)
const wholeMs = z.int().min(1).max(86_400_000)
const seconds = z.int().min(0).max(31_536_000)
const usd = z.number().min(0)
const share = z.number().min(0).max(1)

const tokenPrices = {
  input: usd,
  output: usd,
  cachedInput: usd.optional().describe('Read from the cache of the provider; as input when absent.'),
  cacheWrite: usd.optional().describe('Written to it for five minutes; as input when absent.'),
  cacheWrite1h: usd.optional().describe('Written to it for an hour; 1.6 times cacheWrite when absent.'),
  audioInput: usd.optional(),
  imageInput: usd.optional(),
  reasoning: usd.optional().describe('As output when absent.'),
  audioOutput: usd.optional().describe('As output when absent.'),
}

type Threshold = Readonly<{ aboveInputTokens: number }>

const ascends = (thresholds: readonly Threshold[]): boolean =>
  thresholds.every(
    ({ aboveInputTokens }, index) => aboveInputTokens > (thresholds[index - 1]?.aboveInputTokens ?? 0),
  )

const priceList = {
  ...tokenPrices,
  longContext: z
    .array(z.strictObject({ ...tokenPrices, aboveInputTokens: z.int().min(1).max(100_000_000) }))
    .min(1)
    .max(5)
    .refine(ascends, 'must be in ascending order of aboveInputTokens')
    .optional()
    .describe('Prices of the whole request when its input, cached tokens included, is above a threshold.'),
}
const priceChange = z.union([z.number().min(0).max(100), z.strictObject(priceList)])
const timeOfDay = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as 16:30')

/** What a model's tokens cost, in US dollars a million. */
const tokenPrice = z.strictObject({
  ...priceList,
  tiers: z
    .record(z.string().min(1).max(40), priceChange)
    .optional()
    .describe('By the service tier that the response names: a factor, or prices in place of the usual ones.'),
  hours: z
    .array(z.strictObject({ from: timeOfDay, to: timeOfDay, prices: priceChange }))
    .max(24)
    .optional()
    .describe('By the time of day, in UTC.'),
})

const model = z.strictObject({
  id: name.describe('The name that clients request.'),
  provider: name.describe('The id of a provider, such as openai.'),
  model: name.optional().describe("The provider's own name of it; the id when absent."),
  contextTokens: z.int().min(1).optional(),
  usdPerMillion: tokenPrice.optional(),
  usdPerImage: z
    .record(name, usd)
    .optional()
    .describe('The price of an image by quality and size, such as "standard 1024x1024".'),
  fallbacks: names.optional().describe('Its fallback models, best first.'),
})

export const STRATEGIES = ['priority', 'weighted', 'cheapest', 'fastest', 'least-busy'] as const

const alias = z.strictObject({
  strategy: z.enum(STRATEGIES),
  targets: z
    .array(z.strictObject({ model: name, weight: z.number().min(0).max(1_000_000).optional() }))
    .min(1)
    .max(50),
})

const caching = {
  enabled: z.boolean().optional(),
  ttlSeconds: seconds.min(1).optional(),
  staleWhileRevalidateSeconds: seconds.optional(),
  staleIfErrorSeconds: seconds.optional(),
}

const kind = z
  .enum(CACHE_KINDS)
  .describe('What the answers are for: they get its time to live, and its name as a tag.')

const fallbackOn = z.strictObject({
  error: z.boolean().default(true),
  open: z.boolean().default(true),
  timeout: z.boolean().default(true),
  contextLength: z.boolean().default(true),
  contentPolicy: z.boolean().default(false),
  rateLimit: z.boolean().default(true),
})

const resilience = z.strictObject({
  timeouts: z
    .strictObject({
      firstTokenMs: wholeMs.optional(),
      idleMs: wholeMs.optional(),
      totalMs: wholeMs.optional(),
    })
    .optional(),
  retries: z.strictObject({ most: z.int().min(0).max(3).optional() }).optional(),
  breaker: z
    .strictObject({
      failures: z.int().min(1).max(1_000).optional(),
      openMs: z.int().min(1).max(600_000).optional(),
      slowCallMs: wholeMs.optional(),
    })
    .optional(),
  maxConcurrency: z.int().min(1).max(100_000).optional(),
  hedging: z.strictObject({ share: share.optional() }).optional(),
})

const address = z.string().min(1).max(2_000)

/** An HTTP service as a tool: an address with arguments, or an operation of an OpenAPI document. */
const httpTool = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][\w-]{0,63}$/, 'must have 1 to 64 of A-Z a-z 0-9 _ -, a letter first')
    .describe('The name by which models and callers call it.'),
  description: z.string().min(1).max(2_000).optional().describe('What it does, for models.'),
  url: address.optional().describe('Its address, with {arguments} in path and query.'),
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).optional().describe('GET when absent.'),
  parameters: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'JSON Schema of its arguments. Those that are not in the address go into the query or the body.',
    ),
  openapi: z
    .strictObject({
      file: address.describe('The path of an OpenAPI 3 document, JSON or YAML.'),
      operation: name.describe('Its operationId, or GET /path.'),
      baseUrl: address.optional().describe("In place of the document's first server."),
    })
    .optional(),
  headers: z
    .record(z.string().regex(/^[\w-]+$/, 'is not the name of a header'), z.string().max(4_000))
    .optional()
    .describe(
      'A dollar sign with a name in braces stands for an environment variable: secrets belong there.',
    ),
  attribution: z.string().max(300).optional().describe('Shown with its results.'),
  cacheSeconds: seconds
    .optional()
    .describe('How long results of a GET are kept; 300 when absent, 0: not at all.'),
  staleIfErrorSeconds: seconds.optional(),
  timeoutMs: z.int().min(1).max(60_000).optional(),
  maxBytes: z.int().min(1).max(1_048_576).optional().describe('Longer answers are cut; 65536 when absent.'),
  rate: rate.optional().describe('Requests of all gateways together, such as 10/1s.'),
})

/** The schema of a `GATEWAY_CONFIG` file. Every section is optional; for absent ones the environment applies. */
export const configFile = z.strictObject({
  $schema: z.string().optional().describe('For editors; not read.'),
  models: z.array(model).max(1_000).optional(),
  pricesAsOf: z.iso
    .date()
    .optional()
    .describe('The date of the prices in models: their version in the ledger.'),
  providers: z
    .record(
      name,
      z.strictObject({
        onClientGone: z
          .enum(['cancel', 'drain'])
          .optional()
          .describe(
            'When the client has gone: cancel the call (its usage is estimated), or read the answer to its end.',
          ),
      }),
    )
    .optional()
    .describe('Settings of providers, by their ids.'),
  aliases: z.record(name, alias).optional(),
  fallbacks: z.record(name, names).optional(),
  fallbackOn: fallbackOn.optional(),
  images: z
    .strictObject({
      chain: z
        .array(z.strictObject({ model: name, quality: name.optional() }))
        .min(1)
        .max(4)
        .optional()
        .describe('The models that make images, best first. A call makes four attempts at most.'),
    })
    .optional(),
  limits: z
    .strictObject({
      chat: z
        .strictObject({ anonymous: rate.optional(), guest: rate.optional(), key: rate.optional() })
        .optional(),
      images: rate.optional(),
      upload: rate.optional(),
      kv: rate.optional(),
      evaluation: rate.optional(),
      batchItems: z
        .strictObject({ anonymous: rate.optional(), guest: rate.optional(), key: rate.optional() })
        .optional(),
      api: rate.optional(),
      rest: rate.optional().describe('The former name of api.'),
    })
    .optional(),
  cache: z
    .strictObject({
      ...caching,
      rules: z
        .array(z.strictObject({ model: name, kind: kind.optional(), ...caching, tags: tags.optional() }))
        .max(200)
        .optional(),
      kinds: z
        .partialRecord(z.enum(CACHE_KINDS), z.strictObject(caching))
        .optional()
        .describe('Settings of kinds of answers, in place of their own times.'),
    })
    .optional(),
  budgets: z
    .strictObject({
      unpriced: z
        .enum(['refuse', 'allow'])
        .optional()
        .describe('What happens to a call under a budget whose price is unknown; refuse when absent.'),
      clamp: z
        .boolean()
        .optional()
        .describe('Whether answers may be limited to what is left of a budget; false when absent.'),
    })
    .optional(),
  guardrails: guardrails.optional(),
  resilience: resilience.optional(),
  vendorObjects: z
    .enum(['refuse', 'allow'])
    .optional()
    .describe(
      "Ids of files, containers and other objects of the account at a provider in requests: refuse those that are not known to be the caller's, or allow all; when absent, refuse once the gateway has keys, ADMIN_TOKEN or KEY_PEPPER.",
    ),
  tools: z
    .strictObject({
      http: z
        .array(httpTool)
        .max(100)
        .optional()
        .describe("HTTP services as tools, besides the gateway's own."),
    })
    .optional(),
})

export type ConfigFile = z.output<typeof configFile>

/** The file's shape as JSON Schema, for editors. */
export const configJsonSchema = (): string =>
  `${JSON.stringify({ title: 'Parley gateway configuration', ...z.toJSONSchema(configFile, { io: 'input' }) }, null, 2)}\n`
