import { z } from 'zod'
import type { JudgeSettings } from '../../guardrails/judges/registry.ts'
import { FAIL_MODES } from '../../guardrails/judges/types.ts'
import { ACTIONS, PLACES } from '../../guardrails/types.ts'
import { ConfigurationError } from '../env.ts'

const name = z.string().min(1).max(100)
const names = z.array(name).min(1).max(100)
const score = z.number().min(0).max(1)

const isAddress = (text: string): boolean => {
  const url = URL.parse(text)
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
}

const address = z
  .string()
  .max(2_000)
  .refine(isAddress, 'must be an http:// or https:// address without a user or password')

/** A reference in the form that the headers of HTTP tools have: no secret stands in the file. */
const secret = z
  .string()
  .regex(/^\$\{[A-Za-z_]\w*\}$/, 'must be a dollar sign with the name of an environment variable in braces')
  .describe('A dollar sign with the name of an environment variable in braces.')

const common = {
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,39}$/, 'must have 1 to 40 of a-z 0-9 -, a letter first')
    .optional()
    .describe('Its name in reports; the type when absent. Unique.'),
  places: z
    .array(z.enum(PLACES))
    .min(1)
    .max(PLACES.length)
    .optional()
    .describe('The parts of a call that it rates; all but system and reasoning when absent.'),
  timeoutMs: z.int().min(10).max(30_000).optional().describe('How long it may take; 800 when absent.'),
  failMode: z
    .enum(FAIL_MODES)
    .optional()
    .describe('Without its verdict texts pass (open) or are refused (closed); open when absent.'),
  action: z.enum(ACTIONS).optional().describe('What its verdicts lead to; flag when absent.'),
  cacheSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe('How long its verdicts are kept in memory; 600 when absent, 0: not at all.'),
  concurrency: z.int().min(1).max(256).optional().describe('Requests in progress at once; 16 when absent.'),
}

const IN_ANY_NETWORK = 'May be in a private network. Redirects are not followed.'
const baseUrl = address
  .refine(text => !/[?#]/.test(text), 'must have neither a query nor a fragment')
  .describe(IN_ANY_NETWORK)

const definition = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('openai-moderation'),
    ...common,
    baseUrl: baseUrl.default('https://api.openai.com'),
    apiKey: secret.optional(),
    model: name.optional().describe('omni-moderation-latest when absent.'),
    categories: names.optional().describe('Only these count; all when absent.'),
    thresholds: z
      .record(name, score)
      .optional()
      .describe('The score from which a category counts; for others the service decides.'),
  }),
  z.strictObject({
    type: z.literal('llama-guard'),
    ...common,
    baseUrl,
    apiKey: secret.optional(),
    model: name,
    categories: z
      .array(z.string().regex(/^S(?:[1-9]|1[0-4])$/, 'must be S1 to S14'))
      .min(1)
      .max(14)
      .optional()
      .describe('The codes of those that count; all when absent.'),
    template: z
      .enum(['gateway', 'server'])
      .optional()
      .describe('What puts a text into the prompt: the gateway, or the chat template; gateway when absent.'),
  }),
  z.strictObject({
    type: z.literal('presidio'),
    ...common,
    baseUrl,
    apiKey: secret.optional(),
    language: z
      .string()
      .regex(/^[a-z]{2}$/, 'must have two letters, such as en')
      .optional(),
    entities: names.optional().describe('The types of entities to look for; all when absent.'),
    scoreThreshold: score.optional(),
  }),
  z.strictObject({
    type: z.literal('webhook'),
    ...common,
    url: address.describe(IN_ANY_NETWORK),
    secret: secret.describe('Signs its requests. A dollar sign with the name of a variable in braces.'),
    scoreThreshold: score.optional(),
  }),
])

type Definition = z.output<typeof definition>

/** Whether a judge can redact, if it is to: verdicts about a text as a whole name nothing to replace. */
const canRedact = ({ type, action }: Definition): boolean =>
  action !== 'redact' || type === 'presidio' || type === 'webhook'

const nameOf = ({ name: own, type }: Definition): string => own ?? type

/** `guardrails.judges` of a `GATEWAY_CONFIG` file: external services that rate texts. */
export const guardrailJudges = z
  .array(
    definition.refine(canRedact, {
      path: ['action'],
      message: 'must not be redact: its verdicts are about a text as a whole',
    }),
  )
  .max(20)
  .refine(all => new Set(all.map(nameOf)).size === all.length, 'must have a name of its own for each')
  .describe('External services that rate texts.')

export type GuardrailJudges = z.output<typeof guardrailJudges>

const SECRET_FIELDS = ['apiKey', 'secret'] as const

/**
 * The settings of judges, with the secrets that they refer to.
 *
 * @param variable the value of an environment variable
 * @throws ConfigurationError for variables that are not set
 */
export const judgeSettings = (
  judges: GuardrailJudges,
  variable: (name: string) => string | undefined = one => process.env[one] || undefined,
): readonly JudgeSettings[] => {
  const faults: string[] = []
  const settings = judges.map((judge, index) => {
    const secrets = SECRET_FIELDS.flatMap(field => {
      const reference = (judge as Readonly<Record<string, unknown>>)[field]
      if (typeof reference !== 'string') return []
      const value = variable(reference.slice(2, -1))
      if (value === undefined)
        faults.push(
          `guardrails.judges[${index}].${field} needs the variable ${reference.slice(2, -1)}, which is not set`,
        )
      return [[field, value ?? ''] as const]
    })
    return { ...judge, ...Object.fromEntries(secrets) } as JudgeSettings
  })
  if (faults.length > 0) throw new ConfigurationError(faults)
  return settings
}
