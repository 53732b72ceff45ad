import { type ErrorCode, GatewayError } from '../../errors.ts'
import { anthropicErrorBody } from '../dialects/anthropic-messages/error.ts'
import { openAiErrorBody, openAiStatus } from '../dialects/openai-error.ts'
import { errorBody } from '../error-response.ts'
import type { JsonSchema, Reference } from './json-schema.ts'
import { isIdempotent, type Operation } from './operation.ts'

const REQUEST_ID = 'req_example'

/** A form of errors: its status for a code, and its body, as the routes send them. */
type ErrorForm = Readonly<{
  name: string
  isOf: (path: string) => boolean
  statusOf: (error: GatewayError) => number
  bodyOf: (error: GatewayError) => object
  schema: JsonSchema
}>

const text = { type: 'string' }
const textOrNull = { type: ['string', 'null'] }
const objectOf = (properties: JsonSchema, required = Object.keys(properties)): JsonSchema => ({
  type: 'object',
  properties,
  required,
})

const NATIVE: ErrorForm = {
  name: 'Error',
  isOf: () => true,
  statusOf: error => error.status,
  bodyOf: error => errorBody(error, REQUEST_ID),
  schema: objectOf({
    error: objectOf(
      {
        code: text,
        message: text,
        requestId: text,
        retryable: { type: 'boolean' },
        retryAfterSeconds: { type: 'integer', minimum: 1 },
        details: { type: 'array', items: objectOf({ path: text, message: text }) },
      },
      ['code', 'message', 'requestId', 'retryable'],
    ),
  }),
}

const OPENAI: ErrorForm = {
  name: 'OpenAiError',
  isOf: path => path.startsWith('/v1/'),
  statusOf: openAiStatus,
  bodyOf: openAiErrorBody,
  schema: objectOf({
    error: objectOf({ message: text, type: text, param: textOrNull, code: textOrNull }),
  }),
}

const ANTHROPIC: ErrorForm = {
  name: 'AnthropicError',
  isOf: path => /^\/v1\/messages(?:\/|$)/.test(path),
  statusOf: openAiStatus,
  bodyOf: error => anthropicErrorBody(error, openAiStatus(error), REQUEST_ID),
  schema: objectOf({
    type: { const: 'error' },
    error: objectOf({ type: text, message: text }),
    request_id: text,
  }),
}

const FORMS = [ANTHROPIC, OPENAI, NATIVE]
const formOf = (path: string): ErrorForm => FORMS.find(({ isOf }) => isOf(path)) ?? NATIVE

const OF_EVERY: readonly ErrorCode[] = ['FORBIDDEN', 'INTERNAL_ERROR', 'SHUTTING_DOWN']
const OF_CALLERS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'RATE_LIMITED']
const OF_BODIES: readonly ErrorCode[] = ['INVALID_INPUT', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']
const OF_IDEMPOTENT: readonly ErrorCode[] = ['INVALID_INPUT', 'CONFLICT', 'STORE_UNAVAILABLE']
const OF_MODELS: readonly ErrorCode[] = [
  'CONTEXT_LENGTH',
  'NOT_FOUND',
  'CONTENT_BLOCKED',
  'QUOTA_EXCEEDED',
  'PROVIDER_ERROR',
  'NETWORK',
  'PROVIDER_RATE_LIMIT',
  'MODEL_UNAVAILABLE',
  'TIMEOUT',
]

/** All errors of an operation. */
export const errorsOf = (operation: Operation): readonly ErrorCode[] => {
  const { access, body, generates, errors = [] } = operation
  return [
    ...new Set([
      ...(body ? OF_BODIES : []),
      ...(access === 'public' ? [] : OF_CALLERS),
      ...errors,
      ...(isIdempotent(operation) ? OF_IDEMPOTENT : []),
      ...(isIdempotent(operation) && body ? (['IDEMPOTENCY_MISMATCH'] as const) : []),
      ...(generates ? OF_MODELS : []),
      ...OF_EVERY,
    ]),
  ]
}

const nameOf = (form: ErrorForm, status: number): string => `${form.name}${status}`

/** References to the responses of an operation's errors, by status. */
export const errorResponsesOf = (operation: Operation): Record<string, Reference> => {
  const form = formOf(operation.path)
  const statuses = errorsOf(operation).map(code => form.statusOf(new GatewayError(code)))
  return Object.fromEntries(
    statuses.map(status => [String(status), { $ref: `#/components/responses/${nameOf(form, status)}` }]),
  )
}

const WITH_RETRY_AFTER: ReadonlySet<number> = new Set([429, 503])

/** References to the headers of an error. Only clients of OpenAI and Anthropic read milliseconds. */
const headersOf = (form: ErrorForm, status: number): Record<string, JsonSchema> => {
  const always = ['x-request-id']
  const waiting = form === NATIVE ? ['retry-after'] : ['retry-after', 'retry-after-ms']
  const names = WITH_RETRY_AFTER.has(status) ? [...always, ...waiting] : always
  return Object.fromEntries(names.map(name => [name, { $ref: `#/components/headers/${name}` }]))
}

const responseOf = (form: ErrorForm, status: number, codes: readonly ErrorCode[]): JsonSchema => ({
  description: codes.join(', '),
  headers: headersOf(form, status),
  content: {
    'application/json': {
      schema: { $ref: `#/components/schemas/${form.name}` },
      examples: Object.fromEntries(codes.map(code => [code, { value: form.bodyOf(new GatewayError(code)) }])),
    },
  },
})

/** The shared responses of all errors that these operations have. */
export const errorResponses = (operations: readonly Operation[]): Record<string, JsonSchema> => {
  const found = new Map<string, { form: ErrorForm; status: number; codes: Set<ErrorCode> }>()
  for (const operation of operations) {
    const form = formOf(operation.path)
    for (const code of errorsOf(operation)) {
      const status = form.statusOf(new GatewayError(code))
      const name = nameOf(form, status)
      const entry = found.get(name) ?? { form, status, codes: new Set() }
      entry.codes.add(code)
      found.set(name, entry)
    }
  }
  return Object.fromEntries(
    [...found].map(([name, { form, status, codes }]) => [name, responseOf(form, status, [...codes])]),
  )
}

export const errorSchemas: Readonly<Record<string, JsonSchema>> = Object.fromEntries(
  FORMS.map(({ name, schema }) => [name, schema]),
)
