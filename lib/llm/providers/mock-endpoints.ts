import { hash } from 'node:crypto'
import { type Clock, sleep } from '../../clock.ts'
import { GatewayError, toGatewayError } from '../../errors.ts'
import { memberIn } from '../../raw-json.ts'
import { oneGroup } from '../events.ts'
import { fieldOf, type PassthroughRequest } from '../passthrough.ts'
import type { Call, EventGroup, Provider, Reply, ReplyEvent } from '../types.ts'
import { failureOf, never, piecesOf, SCRIPTS } from './mock-chat.ts'
import { mockImage, mockSpeech } from './mock-media.ts'

export type MockEndpointOptions = Readonly<{
  latencyMs: number
  chunkMs: number
  clock: Clock
  newId: () => string
}>

const DIMENSIONS = 1_536
const MOST_DIMENSIONS = 4_096
const MOST_IMAGES = 10
const SAID = 'This is the mock provider.'
const FINISH = { type: 'finish', reason: 'stop' } as const

type JsonAnswer = Readonly<{ json: object; tokens?: number }>

const jsonOf = ({ body }: PassthroughRequest, name: string): unknown => {
  const written = body.kind === 'json' ? memberIn(body.members, name) : undefined
  return written === undefined ? undefined : JSON.parse(written)
}

const numberOf = (request: PassthroughRequest, name: string, usual: number, most: number): number => {
  const value = Number(fieldOf(request, name) ?? usual)
  return Number.isInteger(value) && value > 0 ? Math.min(value, most) : usual
}

/** A unit vector that depends on the text alone. */
const vectorOf = (text: string, dimensions: number): Float32Array => {
  let state = Buffer.from(hash('sha256', text, 'buffer')).readUInt32LE()
  const vector = Float32Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  })
  const length = Math.hypot(...vector)
  return vector.map(value => value / length)
}

const embeddings = (request: PassthroughRequest, model: string): JsonAnswer => {
  const input = jsonOf(request, 'input')
  const isTokens = Array.isArray(input) && input.every(one => typeof one === 'number')
  const inputs: readonly unknown[] = Array.isArray(input) && !isTokens ? input : [input]
  const dimensions = numberOf(request, 'dimensions', DIMENSIONS, MOST_DIMENSIONS)
  const isBase64 = fieldOf(request, 'encoding_format') === 'base64'
  const data = inputs.map((one, index) => {
    const vector = vectorOf(JSON.stringify(one), dimensions)
    const embedding = isBase64 ? Buffer.from(vector.buffer).toString('base64') : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const tokens = inputs.reduce<number>((sum, one) => sum + piecesOf(JSON.stringify(one)).length, 0)
  return {
    json: { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } },
    tokens,
  }
}

const images = (request: PassthroughRequest, created: number): JsonAnswer => {
  const count = numberOf(request, 'n', 1, MOST_IMAGES)
  const isUrl = fieldOf(request, 'response_format') === 'url'
  const data = Array.from({ length: count }, (_, index) => {
    const [red = 0, green = 0, blue = 0] = hash('sha256', `${fieldOf(request, 'prompt')}${index}`, 'buffer')
    const image = mockImage(red, green, blue).toString('base64')
    return isUrl ? { url: `data:image/png;base64,${image}` } : { b64_json: image }
  })
  return { json: { created, data } }
}

const CATEGORIES = [
  'hate',
  'hate/threatening',
  'harassment',
  'harassment/threatening',
  'illicit',
  'illicit/violent',
  'self-harm',
  'self-harm/intent',
  'self-harm/instructions',
  'sexual',
  'sexual/minors',
  'violence',
  'violence/graphic',
]

const moderations = (request: PassthroughRequest, id: string, model: string): JsonAnswer => {
  const input = jsonOf(request, 'input')
  const results = (Array.isArray(input) ? input : [input]).map(() => ({
    flagged: false,
    categories: Object.fromEntries(CATEGORIES.map(name => [name, false])),
    category_scores: Object.fromEntries(CATEGORIES.map(name => [name, 0])),
    category_applied_input_types: Object.fromEntries(CATEGORIES.map(name => [name, ['text']])),
  }))
  return { json: { id: `modr-${id}`, model, results } }
}

/** The share of the query's words that a document has. */
const relevance = (query: string, document: unknown): number => {
  const words = piecesOf(query.toLowerCase()).map(word => word.trim())
  const text = JSON.stringify(document).toLowerCase()
  return words.length === 0 ? 0 : words.filter(word => text.includes(word)).length / words.length
}

const rerank = (request: PassthroughRequest, id: string, model: string): JsonAnswer => {
  const documents = jsonOf(request, 'documents')
  const all: readonly unknown[] = Array.isArray(documents) ? documents : []
  const query = fieldOf(request, 'query') ?? ''
  const results = all
    .map((document, index) => ({ index, relevance_score: relevance(query, document) }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .slice(0, numberOf(request, 'top_n', all.length || 1, all.length || 1))
  return { json: { id, model, results } }
}

const completionOf = (id: string, created: number, model: string) => ({
  id: `cmpl-${id}`,
  object: 'text_completion',
  created,
  model,
})

const completions = (id: string, created: number, model: string): JsonAnswer => {
  const tokens = piecesOf(SAID).length
  const usage = { prompt_tokens: tokens, completion_tokens: tokens, total_tokens: 2 * tokens }
  const choices = [{ text: SAID, index: 0, logprobs: null, finish_reason: 'stop' }]
  return { json: { ...completionOf(id, created, model), choices, usage }, tokens }
}

type Facts = Readonly<{ id: string; created: number; model: string }>

const answerTo = (request: PassthroughRequest, { id, created, model }: Facts): JsonAnswer => {
  switch (request.endpoint) {
    case 'embeddings':
      return embeddings(request, model)
    case 'completions':
      return completions(id, created, model)
    case 'moderations':
      return moderations(request, id, model)
    case 'rerank':
      return rerank(request, id, model)
    case 'images/generations':
    case 'images/edits':
      return images(request, created)
    default:
      return { json: { text: SAID } }
  }
}

const asEvents = (data: readonly object[], isMarked: boolean): readonly ReplyEvent[] =>
  [...data.map(one => `data: ${JSON.stringify(one)}\n\n`), ...(isMarked ? ['data: [DONE]\n\n'] : [])].map(
    text => ({ type: 'body-bytes', bytes: Buffer.from(text) }),
  )

/** The events of a stream; undefined where the endpoint has none. */
const streamOf = (request: PassthroughRequest, facts: Facts): readonly ReplyEvent[] | undefined => {
  const head = completionOf(facts.id, facts.created, facts.model)
  switch (request.endpoint) {
    case 'completions': {
      const pieces = piecesOf(SAID)
      const chunks = pieces.map((text, index) => ({
        ...head,
        choices: [
          { text, index: 0, logprobs: null, finish_reason: index === pieces.length - 1 ? 'stop' : null },
        ],
      }))
      return asEvents(chunks, true)
    }
    case 'audio/transcriptions':
      return asEvents(
        [
          { type: 'transcript.text.delta', delta: SAID },
          { type: 'transcript.text.done', text: SAID },
        ],
        false,
      )
    default:
      return undefined
  }
}

async function* paced(
  events: readonly ReplyEvent[],
  call: Call,
  { clock, chunkMs }: MockEndpointOptions,
): AsyncGenerator<EventGroup> {
  try {
    for (const event of events) {
      yield [event]
      await sleep(clock, chunkMs, call.signal)
    }
    yield [FINISH]
  } catch (thrown) {
    yield [{ type: 'error', error: toGatewayError(thrown) }]
  }
}

type Body = Readonly<{ mediaType: string; events: Reply['events']; tokens: number }>

const bodyOf = (
  call: Call,
  request: PassthroughRequest,
  facts: Facts,
  options: MockEndpointOptions,
): Body => {
  if (request.endpoint === 'audio/speech')
    return {
      mediaType: 'audio/wav',
      events: oneGroup([{ type: 'body-bytes', bytes: mockSpeech() }, FINISH]),
      tokens: 0,
    }
  const stream = call.stream ? streamOf(request, facts) : undefined
  if (stream) return { mediaType: 'text/event-stream', events: paced(stream, call, options), tokens: 0 }
  const { json, tokens = 0 } = answerTo(request, facts)
  const event: ReplyEvent = { type: 'body-text', text: JSON.stringify(json) }
  return { mediaType: 'application/json', events: oneGroup([event, FINISH]), tokens }
}

/** The endpoints beside chat of the mock provider: deterministic answers, and failures by model name. */
export const mockEndpoints = (options: MockEndpointOptions): NonNullable<Provider['pass']> => {
  const { clock, latencyMs, newId } = options
  let calls = 0
  return async (call, target) => {
    const { passthrough: request } = call
    const script = Object.hasOwn(SCRIPTS, target.model) ? SCRIPTS[target.model] : undefined
    if (!script || !request)
      throw new GatewayError('NOT_FOUND', `The mock provider has no model “${target.model}”.`)
    calls += 1
    await sleep(clock, latencyMs * (script.slowness ?? 1), call.signal)
    const failure = failureOf(script, calls)
    if (failure) throw failure
    if (script.after?.fault === 'stall') return never(call.signal)
    if (script.after) throw new GatewayError('NETWORK', 'The connection to the mock provider failed.')
    const id = newId()
    const facts = { id, created: Math.floor(clock.now() / 1000), model: target.name }
    const { mediaType, events, tokens } = bodyOf(call, request, facts, options)
    const usage = { inputTokens: tokens, outputTokens: 0 }
    return { head: { id, target, cache: 'miss', mediaType }, usage: Promise.resolve(usage), events }
  }
}
