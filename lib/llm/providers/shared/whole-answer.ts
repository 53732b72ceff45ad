import type { Endpoint, PassthroughRequest } from '../../passthrough.ts'
import type { Fields } from './lenient.ts'

/** A text in place of a list. */
const TEXT = 'text'

/**
 * The lists or texts, of which one makes an answer of an endpoint: OpenAI's, then those of compatible servers. Empty
 * where vendors have no form in common.
 */
const MAIN_MEMBERS: Readonly<Record<Endpoint, readonly string[]>> = {
  embeddings: ['data', 'embeddings'],
  completions: ['choices'],
  moderations: ['results'],
  'images/generations': ['data', 'images'],
  'images/edits': ['data', 'images'],
  'audio/transcriptions': [TEXT, 'segments'],
  'audio/translations': [TEXT, 'segments'],
  'audio/speech': [],
  // Cohere and Jina, and Voyage.
  rerank: ['results', 'data'],
}

/** The first main member of an answer that is a list; undefined where it has none. */
const mainListIn = (endpoint: Endpoint, fields: Fields): readonly unknown[] | undefined =>
  MAIN_MEMBERS[endpoint].map(name => fields[name]).find(value => Array.isArray(value))

/** Whether a JSON object is an answer of an endpoint: whether it has what the request is for. */
export const isAnswerOf = (endpoint: Endpoint, fields: Fields): boolean =>
  MAIN_MEMBERS[endpoint].length === 0 ||
  mainListIn(endpoint, fields) !== undefined ||
  (MAIN_MEMBERS[endpoint].includes(TEXT) && typeof fields[TEXT] === 'string')

/** What a JSON document lacks that is no answer of an endpoint. */
export const missingIn = (endpoint: Endpoint): string =>
  `missing ${MAIN_MEMBERS[endpoint].join(' or ') || 'JSON object'}`

/** How many images an answer has; undefined where it is none of images. */
export const imagesIn = (endpoint: Endpoint, fields: Fields): number | undefined =>
  endpoint.startsWith('images/') ? mainListIn(endpoint, fields)?.length : undefined

/** Whether an answer has as many parts as it must: embeddings have one for each input. */
export const hasAllParts = ({ endpoint, inputs }: PassthroughRequest, fields: Fields): boolean =>
  endpoint !== 'embeddings' || mainListIn(endpoint, fields)?.length === inputs
