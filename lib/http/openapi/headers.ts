import type { JsonSchema } from './json-schema.ts'
import type { Operation } from './operation.ts'

const text = { type: 'string' }
const number = { type: 'string', pattern: '^\\d+$' }

type Group = 'every' | 'limited' | 'v1' | 'generated' | 'errors'
type Header = Readonly<{ group: Group; description: string; schema: JsonSchema }>

/** The headers of answers; each group is that of some operations. */
const HEADERS: Readonly<Record<string, Header>> = {
  'x-request-id': {
    group: 'every',
    description: 'Identifies the request in the log. A valid incoming id is kept.',
    schema: text,
  },
  'server-timing': { group: 'every', description: 'How the time until the headers was spent.', schema: text },
  'x-ratelimit-limit': { group: 'limited', description: 'Requests in the window.', schema: number },
  'x-ratelimit-remaining': { group: 'limited', description: 'Requests left.', schema: number },
  'x-ratelimit-reset': {
    group: 'limited',
    description: 'Seconds until the limit is fully reset.',
    schema: number,
  },
  'ratelimit-policy': {
    group: 'limited',
    description: 'The limit, in the format of IETF draft 10.',
    schema: text,
  },
  ratelimit: { group: 'limited', description: 'Its state, in the format of IETF draft 10.', schema: text },
  'request-id': {
    group: 'v1',
    description: 'The same as x-request-id, for Anthropic’s clients.',
    schema: text,
  },
  'x-ratelimit-limit-requests': { group: 'v1', description: 'As OpenAI’s clients read it.', schema: number },
  'x-ratelimit-remaining-requests': { group: 'v1', description: 'The same.', schema: number },
  'x-ratelimit-reset-requests': { group: 'v1', description: 'The same, as a Go duration.', schema: text },
  'openai-processing-ms': { group: 'v1', description: 'Milliseconds until the headers.', schema: number },
  'x-gateway-model': { group: 'generated', description: 'The model that answered.', schema: text },
  'x-gateway-provider': { group: 'generated', description: 'Its provider.', schema: text },
  'x-gateway-cache': { group: 'generated', description: 'miss, hit, stale or bypass.', schema: text },
  'x-gateway-cost-usd': {
    group: 'generated',
    description: 'US dollars, if known when the headers are sent.',
    schema: text,
  },
  'x-gateway-attempts': {
    group: 'generated',
    description: 'How often a provider was called.',
    schema: number,
  },
  'x-gateway-fallback': {
    group: 'generated',
    description: 'Whether another model answered.',
    schema: { type: 'string', enum: ['true', 'false'] },
  },
  'x-gateway-params-dropped': {
    group: 'generated',
    description: 'Parameters left out because the model doesn’t support them.',
    schema: text,
  },
  'x-gateway-warnings': {
    group: 'generated',
    description:
      'What of the request was changed or not honoured: at most ten sentences, each in double quotes, separated by a comma and a space (a list of strings of RFC 9651).',
    schema: text,
  },
  'retry-after': { group: 'errors', description: 'Seconds until a retry makes sense.', schema: number },
  'retry-after-ms': { group: 'errors', description: 'The same in milliseconds.', schema: number },
}

/** The headers as components. */
export const headerComponents: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  Object.entries(HEADERS).map(([name, { description, schema }]) => [name, { description, schema }]),
)

const groupsOf = ({ access, path, generates }: Operation): readonly (Group | false)[] => [
  'every',
  access === 'caller' && 'limited',
  path.startsWith('/v1/') && 'v1',
  generates === true && 'generated',
]

/** References to the headers of an operation's answers. */
export const headersOf = (operation: Operation): Record<string, JsonSchema> => {
  const groups = groupsOf(operation)
  return Object.fromEntries(
    Object.entries(HEADERS)
      .filter(([, { group }]) => groups.includes(group))
      .map(([name]) => [name, { $ref: `#/components/headers/${name}` }]),
  )
}
