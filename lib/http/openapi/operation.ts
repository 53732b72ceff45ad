import type { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import type { ChatLimits } from '../../validation/chat.ts'
import type { Access } from '../serve.ts'
import type { JsonSchema } from './json-schema.ts'

/** The sections of the reference, in their order. */
export const TAGS = {
  Chat: 'The gateway’s own format: one question to a model, as JSON or as server-sent events.',
  'OpenAI format': 'Clients of OpenAI’s API work by changing their base URL to `/v1`.',
  'Anthropic format': 'Clients of Anthropic’s API work by changing their base URL to the gateway’s address.',
  Batches: 'Many questions, answered in the background.',
  Values: 'JSON values that a caller stores under keys of its own.',
  Evaluation: 'Grades of answers, and comparisons of models and prompts on data sets.',
  Tools: 'What the gateway looks up for models: weather, currency, news, web search, places.',
  Keys: 'API keys: who may use the gateway, what for and how much.',
  Usage: 'What was used, what it cost, and how each request was answered.',
  Operations: 'Health, metrics and administration.',
} as const
export type Tag = keyof typeof TAGS

/** A schema that stands under its name among the document's components. */
export type Named = Readonly<{ name: string; schema: z.ZodType }>

export type Parameter = Readonly<{
  name: string
  in: 'path' | 'query' | 'header'
  description: string
  required?: true
  schema: JsonSchema
  example?: string | number
}>

export type RequestBody = Named &
  Readonly<{
    /** `application/json` when absent. */
    type?: 'application/json' | 'multipart/form-data'
    /** Another form that it may have, of other clients. */
    other?: Named
    /** Whole bodies by name. The first one is where the console of the reference begins. */
    examples: Readonly<Record<string, unknown>>
  }>

export type ResponseContent = Readonly<{
  type: string
  /** Absent for bytes and texts. */
  body?: Named
  /** What a text is, or the events of a stream. */
  description?: string
  example?: unknown
}>

export type OperationResponse = Readonly<{
  /** 200 when absent. */
  status?: number
  description: string
  content?: readonly ResponseContent[]
}>

/** One method of one path. The errors that its access, its body and its work bring with them are added to it. */
export type Operation = Readonly<{
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** The path, with `{parameters}` that each need an entry in `parameters`. */
  path: string
  tag: Tag
  summary: string
  description?: string
  access: Access
  /** Calls a model: its failures may be the answer, and the `x-gateway-*` headers describe it. */
  generates?: true
  parameters?: readonly Parameter[]
  /** The schema that validates the query. */
  query?: z.ZodObject
  body?: RequestBody
  answers: readonly OperationResponse[]
  /** Further errors. */
  errors?: readonly ErrorCode[]
}>

const IDEMPOTENT =
  /^\/(?:v1\/.+|api\/chat|api\/batch\/(?:jobs(?:\/\{id\}\/(?:cancel|retry))?|upload)|api\/evaluate|api\/evaluations(?:\/datasets)?)$/

/** Whether an operation heeds an `Idempotency-Key`: those that answer something, create it, or change a batch. */
export const isIdempotent = ({ method, path }: Operation): boolean =>
  method === 'post' && IDEMPOTENT.test(path)

/** The settings that the document shows. */
export type OperationLimits = Readonly<{ chat: ChatLimits; item: ChatLimits; mostItems: number }>

/** JSON as the one form of an answer. */
export const json = (name: string, schema: z.ZodType, example?: unknown): ResponseContent => ({
  type: 'application/json',
  body: { name, schema },
  ...(example !== undefined && { example }),
})

export const eventStream = (description: string, example?: string): ResponseContent => ({
  type: 'text/event-stream',
  description,
  ...(example !== undefined && { example }),
})

/** A part of the path. */
export const inPath = (name: string, description: string, example?: string | number): Parameter => ({
  name,
  in: 'path',
  description,
  required: true,
  schema: { type: 'string' },
  ...(example !== undefined && { example }),
})

export const inHeader = (name: string, description: string, schema: JsonSchema): Parameter => ({
  name,
  in: 'header',
  description,
  schema,
})

export const idempotencyKey: Parameter = inHeader(
  'Idempotency-Key',
  'Up to 255 characters. A repetition within 24 hours gets the same result. Not for anonymous callers.',
  { type: 'string', maxLength: 255 },
)
