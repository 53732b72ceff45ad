import { z } from 'zod'
import type { Endpoint } from '../llm/passthrough.ts'
import { optional } from './zod.ts'

const word = z.string().min(1, 'must not be empty')

/** A text or a list, whose elements are the upstream's concern: they may be millions of tokens. */
const input = z
  .custom<unknown>(
    value => (Array.isArray(value) || typeof value === 'string') && value.length > 0,
    'must be a text or a list, and not empty',
  )
  .meta({ type: ['string', 'array'], minLength: 1, minItems: 1 })
const list = z
  .custom<unknown>(value => Array.isArray(value) && value.length > 0, 'must be a list, and not empty')
  .meta({ type: 'array', minItems: 1 })

const common = { model: optional(word), stream: optional(z.boolean()) }
const MOST_IMAGES = 10
const images = z
  .int()
  .min(1, `must be from 1 to ${MOST_IMAGES}`)
  .max(MOST_IMAGES, `must be from 1 to ${MOST_IMAGES}`)

const MOST_ANSWERS = 128
/** Source: OpenAI, "Create completion". */
const answers = z
  .int()
  .min(1, `must be from 1 to ${MOST_ANSWERS}`)
  .max(MOST_ANSWERS, `must be from 1 to ${MOST_ANSWERS}`)

/** Endpoints whose bodies are JSON; the others take forms with files. */
export type JsonEndpoint = Exclude<Endpoint, 'images/edits' | 'audio/transcriptions' | 'audio/translations'>

/** What the gateway checks of a JSON body; all else is the upstream's concern. */
export type EndpointBody = Readonly<{ model?: string | undefined; stream?: boolean | undefined }>

/**
 * The JSON bodies of OpenAI's endpoints beside chat, as far as they concern the gateway, and that of rerank.
 * Source: OpenAI's API reference; Cohere's and Jina's for rerank.
 */
export const endpointBody: Readonly<Record<JsonEndpoint, z.ZodType<EndpointBody>>> = {
  embeddings: z.looseObject({ ...common, input }),
  completions: z.looseObject({
    ...common,
    n: optional(answers),
    best_of: optional(answers),
    max_tokens: optional(z.int().min(0, 'must not be negative')),
  }),
  moderations: z.looseObject({ ...common, input }),
  'images/generations': z.looseObject({ ...common, prompt: word, n: optional(images) }),
  'audio/speech': z.looseObject({ ...common, input: word }),
  rerank: z.looseObject({ ...common, query: z.unknown(), documents: list }),
}
