import type { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import type { Access } from '../serve.ts'
import { errorResponses, errorResponsesOf, errorSchemas, errorsOf } from './errors.ts'
import { headerComponents, headersOf } from './headers.ts'
import {
  convert,
  convertNamed,
  type Direction,
  type JsonSchema,
  type Reference,
  referenceTo,
} from './json-schema.ts'
import {
  idempotencyKey,
  isIdempotent,
  type Operation,
  type OperationLimits,
  type OperationResponse,
  type Parameter,
  TAGS,
} from './operation.ts'
import { operationsOf } from './operations/index.ts'

type Media = Readonly<{
  schema?: JsonSchema
  example?: unknown
  examples?: Readonly<Record<string, Readonly<{ value: unknown }>>>
  'x-description'?: string
}>
export type DocumentBody = Readonly<{ required: true; content: Readonly<Record<string, Media>> }>
export type DocumentResponse = Readonly<{
  description: string
  headers?: Readonly<Record<string, JsonSchema>>
  content?: Readonly<Record<string, Media>>
}>
export type DocumentOperation = Readonly<{
  operationId: string
  summary: string
  description?: string
  tags: readonly string[]
  parameters?: readonly Parameter[]
  requestBody?: DocumentBody
  responses: Readonly<Record<string, DocumentResponse | Reference>>
  security: readonly JsonSchema[]
  /** The gateway's codes of its errors. */
  'x-error-codes': readonly ErrorCode[]
}>

/** An OpenAPI document. Source: OpenAPI Specification 3.1.1. */
export type ApiDocument = Readonly<{
  openapi: '3.1.1'
  info: Readonly<{ title: string; version: string; description: string }>
  servers: readonly Readonly<{ url: string }>[]
  tags: readonly Readonly<{ name: string; description: string }>[]
  paths: Readonly<Record<string, Readonly<Record<string, DocumentOperation>>>>
  components: Readonly<{
    schemas: Readonly<Record<string, JsonSchema>>
    responses: Readonly<Record<string, JsonSchema>>
    headers: Readonly<Record<string, JsonSchema>>
    securitySchemes: Readonly<Record<string, JsonSchema>>
  }>
}>

export type DocumentOptions = Readonly<{
  version: string
  /** The gateway's public address; the document's own when absent. */
  serverUrl: string | undefined
  limits: OperationLimits
}>

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A key, or the admin’s token.' },
  apiKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-api-key',
    description: 'The same, as Anthropic’s clients send it.',
  },
  adminSession: {
    type: 'apiKey',
    in: 'cookie',
    name: 'parley_admin',
    description: 'The session of an admin who has signed in; `__Host-parley_admin` over https.',
  },
}
const ANYONE = {}
const SECURITY: Readonly<Record<Access, readonly JsonSchema[]>> = {
  public: [ANYONE],
  caller: [ANYONE, { bearer: [] }, { apiKey: [] }],
  member: [{ bearer: [] }, { apiKey: [] }, { adminSession: [] }],
  admin: [{ bearer: [] }, { apiKey: [] }, { adminSession: [] }],
  metrics: [ANYONE, { bearer: [] }],
}

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

const operationIdOf = ({ method, path }: Operation): string =>
  method +
  (path.match(/\w+/g) ?? [])
    .flatMap(word => word.split('_'))
    .map(capitalized)
    .join('')

const queryParameters = (query: z.ZodObject): readonly Parameter[] => {
  const { properties = {}, required = [] } = convert(query, 'request') as {
    properties?: Record<string, JsonSchema>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, { description = '', ...schema }]) => ({
    name,
    in: 'query',
    description: String(description),
    schema,
    ...(required.includes(name) && { required: true }),
  }))
}

const examplesOf = (examples: Readonly<Record<string, unknown>>): NonNullable<Media['examples']> =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]))

const bodyOf = ({
  name,
  other,
  type = 'application/json',
  examples,
}: NonNullable<Operation['body']>): DocumentBody => {
  const own = { $ref: referenceTo(name) }
  const schema = other ? { anyOf: [own, { $ref: referenceTo(other.name) }] } : own
  return {
    required: true,
    content: { [type]: { schema, examples: examplesOf(examples) } },
  }
}

const answerOf = (
  operation: Operation,
  { description, content = [] }: OperationResponse,
): DocumentResponse => ({
  description,
  headers: headersOf(operation),
  ...(content.length > 0 && {
    content: Object.fromEntries(
      content.map(({ type, body, example, description: words }) => [
        type,
        {
          schema: body ? { $ref: referenceTo(body.name) } : { type: 'string' },
          ...(example !== undefined && { example }),
          ...(words !== undefined && { 'x-description': words }),
        },
      ]),
    ),
  }),
})

const documentOperation = (operation: Operation): DocumentOperation => {
  const { summary, description, tag, access, parameters = [], query, body, answers } = operation
  const all = [
    ...parameters,
    ...(isIdempotent(operation) ? [idempotencyKey] : []),
    ...(query ? queryParameters(query) : []),
  ]
  return {
    operationId: operationIdOf(operation),
    summary,
    ...(description !== undefined && { description }),
    tags: [tag],
    ...(all.length > 0 && { parameters: all }),
    ...(body && { requestBody: bodyOf(body) }),
    responses: {
      ...errorResponsesOf(operation),
      ...Object.fromEntries(answers.map(answer => [answer.status ?? 200, answerOf(operation, answer)])),
    },
    security: SECURITY[access],
    'x-error-codes': errorsOf(operation),
  }
}

const pathsOf = (operations: readonly Operation[]): ApiDocument['paths'] => {
  const paths: Record<string, Record<string, DocumentOperation>> = {}
  for (const operation of operations) {
    const path = paths[operation.path] ?? {}
    paths[operation.path] = { ...path, [operation.method]: documentOperation(operation) }
  }
  return paths
}

const schemasOf = (operations: readonly Operation[], direction: Direction): Record<string, JsonSchema> => {
  const named =
    direction === 'request'
      ? operations.flatMap(({ body }) => [body, body?.other].filter(one => one !== undefined))
      : operations.flatMap(({ answers }) =>
          answers.flatMap(({ content = [] }) => content.flatMap(({ body }) => body ?? [])),
        )
  return convertNamed(new Map(named.map(({ name, schema }) => [name, schema])), direction)
}

/** The whole API as an OpenAPI document, from the schemas that validate its requests. */
export const apiDocument = ({ version, serverUrl = '/', limits }: DocumentOptions): ApiDocument => {
  const operations = operationsOf(limits)
  return {
    openapi: '3.1.1',
    info: {
      title: 'Parley',
      version,
      description: 'One gateway to every LLM provider, in three formats: its own, OpenAI’s and Anthropic’s.',
    },
    servers: [{ url: serverUrl }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths: pathsOf(operations),
    components: {
      schemas: { ...schemasOf(operations, 'request'), ...schemasOf(operations, 'response'), ...errorSchemas },
      responses: errorResponses(operations),
      headers: headerComponents,
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}
