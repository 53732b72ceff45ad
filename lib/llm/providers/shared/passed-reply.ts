import type { GatewayError } from '../../../errors.ts'
import type { Attempt } from '../../../request-context.ts'
import { oneGroup, prefetched, unfinished } from '../../events.ts'
import { type Endpoint, fieldOf, type PassthroughRequest } from '../../passthrough.ts'
import type { Call, EventGroup, Reply, ReplyHead, Usage } from '../../types.ts'
import { PeekedBody, type ResponseBody } from './body.ts'
import { bodyUsage, failedUsage } from './body-usage.ts'
import { type BodyWatch, watchEvents, watchJson, watchNothing } from './body-watch.ts'
import { readingError } from './http-provider.ts'
import { errorInAnswer } from './in-band-error.ts'
import { type Fields, fieldsOf, listIn, parseJson, wordIn } from './lenient.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import type { UpstreamResponse } from './upstream.ts'
import { malformedResponse, upstreamError } from './upstream-error.ts'
import { hasAllParts, imagesIn, isAnswerOf, missingIn } from './whole-answer.ts'

/** A successful response to a call for an endpoint beside chat. */
export type PassedResponse = Readonly<{
  response: UpstreamResponse
  call: Call
  head: ReplyHead
  /** The request as it was sent. */
  request: PassthroughRequest
  /** Whether a stream's usage is left out, because the client did not ask for it. */
  hidesUsage: boolean
  redact: (text: string) => string
  /** The cost in US dollars that a usage reports. */
  reportedCostUsd?: OpenAiVariant['reportedCostUsd']
  /** Gets the usage that a failed answer reports. */
  attempt: Attempt
}>

const MOST_WHOLE_BYTES = 1024 * 1024
/** Bytes at the beginning of a body from which its kind is recognised. */
const BEGINNING = 1_024
const JSON_TYPE = 'application/json'
const EVENTS_TYPE = 'text/event-stream'
const FINISH = { type: 'finish', reason: 'stop' } as const
const INCOMPLETE = { type: 'finish', reason: 'other' } as const

const isJson = (mediaType = ''): boolean => /^application\/(?:[\w.-]+\+)?json\b/i.test(mediaType)
const isEventStream = (mediaType = ''): boolean => /^text\/event-stream\b/i.test(mediaType)
const isPage = (mediaType = ''): boolean => /^(?:text\/html|application\/xhtml\+xml)\b/i.test(mediaType)

/** Endpoints that have no streams. */
const ALWAYS_WHOLE: ReadonlySet<Endpoint> = new Set(['embeddings', 'moderations', 'rerank'])
const OF_SPOKEN_WORDS: ReadonlySet<Endpoint> = new Set(['audio/transcriptions', 'audio/translations'])

/** Whether a request may be answered in another form than JSON: with audio, text or subtitles. */
const mayBeOther = (request: PassthroughRequest): boolean => {
  const { endpoint } = request
  if (endpoint === 'audio/speech') return true
  return OF_SPOKEN_WORDS.has(endpoint) && !/json$/i.test(fieldOf(request, 'response_format') ?? 'json')
}

/** The response under another media type. */
const ofType = (passed: PassedResponse, mediaType: string): PassedResponse => ({
  ...passed,
  head: { ...passed.head, mediaType },
})

const errorOf = ({ head, redact }: PassedResponse, body: unknown): GatewayError =>
  upstreamError({ provider: head.target.provider, body, redact })

/** UTF-8 bytes of the texts of a whole completion. */
const textBytesOf = ({ choices }: Fields): number =>
  listIn(choices).reduce((bytes, { text }) => bytes + Buffer.byteLength(wordIn(text) ?? ''), 0)

type Learned = Omit<Parameters<typeof bodyUsage>[1], 'reportedCostUsd'>

const usageOf = ({ request, reportedCostUsd }: PassedResponse, learned: Learned): Usage =>
  bodyUsage(request, { ...learned, reportedCostUsd })

/** Keeps what a failed answer has used by its own report. */
const recordFailed = ({ attempt, request, reportedCostUsd }: PassedResponse, learned: Learned): void => {
  const usage = failedUsage(request, { ...learned, reportedCostUsd })
  if (usage) attempt.usage = usage
}

/** Whether a JSON value is an answer to a request. Some servers write as JSON the text that was asked for. */
const isAnswer = (request: PassthroughRequest, value: unknown): boolean => {
  if (typeof value === 'string') return mayBeOther(request)
  const fields = fieldsOf(value)
  return fields !== undefined && isAnswerOf(request.endpoint, fields)
}

/** The error of a JSON document: the one in it, or that it is no answer; undefined where it is one. */
const errorInDocument = (passed: PassedResponse, value: unknown): GatewayError | undefined => {
  const { head, request } = passed
  const isAnswered = isAnswer(request, value)
  const error = isAnswered && !fieldsOf(fieldsOf(value)?.error) ? undefined : errorInAnswer(value)
  if (error !== undefined) return errorOf(passed, error)
  return isAnswered ? undefined : malformedResponse(head.target.provider, missingIn(request.endpoint))
}

/**
 * A whole JSON document. It may hold an error in spite of its status. The finish of an answer with missing parts has no
 * known reason, so that it is not stored.
 */
const wholeReply = (passed: PassedResponse, text: string): Reply => {
  const { head, request } = passed
  const value = parseJson(text)
  if (value === undefined) throw malformedResponse(head.target.provider, 'invalid JSON')
  const fields: Fields = fieldsOf(value) ?? {}
  const { duration, service_tier: tier } = fields
  const learned = {
    usage: fieldsOf(fields.usage),
    duration,
    tier,
    textBytes: textBytesOf(fields),
    images: imagesIn(request.endpoint, fields),
  }
  const error = errorInDocument(passed, value)
  if (error) {
    recordFailed(passed, learned)
    throw error
  }
  const usage = Promise.resolve(usageOf(passed, learned))
  const finish = hasAllParts(request, fields) ? FINISH : INCOMPLETE
  return { head, usage, events: oneGroup([{ type: 'body-text', text }, finish]) }
}

type Passing = Readonly<{
  passed: PassedResponse
  body: ResponseBody
  watch: BodyWatch
  /** Pieces that have been read already. */
  begun: readonly Uint8Array[]
  settle: (usage: Usage) => void
}>

const pieces = async function* ({ body, watch, begun }: Passing): AsyncGenerator<Uint8Array> {
  for (const bytes of begun) yield watch.push(bytes)
  for (let step = await body.next(); !step.done; step = await body.next()) yield watch.push(step.value)
}

const failure = (thrown: unknown, { response, call, head }: PassedResponse): GatewayError =>
  readingError(head.target.provider, call.signal, response, thrown)

const learnedOf = (watch: BodyWatch): Learned => ({
  usage: watch.usage(),
  tier: watch.tier(),
  textBytes: watch.textBytes(),
  images: watch.images(),
  isCut: watch.isCut(),
})

/** The body piece by piece. An error before the first piece is thrown, so that another target may answer. */
const passing = async function* (all: Passing): AsyncGenerator<EventGroup> {
  const { passed, body, watch, settle } = all
  let hasBegun = false
  try {
    for await (const bytes of pieces(all)) {
      const error = watch.error()
      if (error !== undefined && !hasBegun) throw errorOf(passed, error)
      if (bytes.length === 0) continue
      hasBegun = true
      yield [{ type: 'body-bytes', bytes }]
    }
    const error = watch.error()
    if (error !== undefined) return yield [{ type: 'error', error: errorOf(passed, error), isSent: true }]
    if (watch.isCut()) throw unfinished()
    const end = watch.end()
    if (!hasBegun && !end?.length) throw malformedResponse(passed.head.target.provider, 'empty body')
    yield end?.length ? [{ type: 'body-bytes', bytes: end }, FINISH] : [FINISH]
  } catch (thrown) {
    if (!hasBegun) {
      recordFailed(passed, learnedOf(watch))
      throw failure(thrown, passed)
    }
    yield [{ type: 'error', error: failure(thrown, passed) }]
  } finally {
    body.destroy()
    settle(usageOf(passed, learnedOf(watch)))
  }
}

const streamedReply = async (
  passed: PassedResponse,
  body: ResponseBody,
  watch: BodyWatch,
  begun: readonly Uint8Array[] = [],
): Promise<Reply> => {
  const { promise: usage, resolve: settle } = Promise.withResolvers<Usage>()
  const events = passing({ passed, body, watch, begun, settle })
  return { head: passed.head, usage, events: await prefetched(events) }
}

/**
 * Reads a JSON document of up to 1 MiB as a whole; a longer one passes as it comes. Upstreams put other content types
 * before it.
 */
const jsonReply = async (received: PassedResponse, body: ResponseBody): Promise<Reply> => {
  const passed = isJson(received.head.mediaType) ? received : ofType(received, JSON_TYPE)
  const begun: Uint8Array[] = []
  let size = 0
  try {
    while (size <= MOST_WHOLE_BYTES) {
      const step = await body.next()
      if (step.done) break
      size += step.value.length
      begun.push(step.value)
    }
  } catch (thrown) {
    body.destroy()
    throw failure(thrown, passed)
  }
  const bytes = Buffer.concat(begun)
  if (size <= MOST_WHOLE_BYTES) return wholeReply(passed, bytes.toString('utf8'))
  if (bytes.toString('utf8', 0, BEGINNING).trim().startsWith('{'))
    return streamedReply(passed, body, watchJson(), begun)
  body.destroy()
  throw malformedResponse(passed.head.target.provider, 'invalid JSON')
}

/** Where a stream was asked for, a body that begins like one is a stream, whatever its content type says. */
const opened = async (passed: PassedResponse): Promise<readonly [PassedResponse, ResponseBody]> => {
  const { response, head, call, request } = passed
  const body = response.decoded()
  if (!call.stream || request.endpoint === 'audio/speech' || isEventStream(head.mediaType))
    return [passed, body]
  const peeked = new PeekedBody(body)
  const start = await peeked.start().catch(thrown => {
    body.destroy()
    throw failure(thrown, passed)
  })
  return [start === 'events' ? ofType(passed, EVENTS_TYPE) : passed, peeked]
}

/**
 * A successful response as a reply. Resolves when a JSON document of up to 1 MiB has been read, or the first piece of
 * any other body. Rejects where the body is empty, a web page, no answer of the endpoint, or of a form that it does not
 * have.
 */
export const readPassed = async (received: PassedResponse): Promise<Reply> => {
  const [passed, body] = await opened(received)
  const { head, request, hidesUsage, redact } = passed
  if (isEventStream(head.mediaType) && !ALWAYS_WHOLE.has(request.endpoint)) {
    const hasEndMark = request.endpoint === 'completions'
    return streamedReply(passed, body, watchEvents({ hasEndMark, hidesUsage, redact }))
  }
  if (isJson(head.mediaType) || !mayBeOther(request)) return jsonReply(passed, body)
  if (!isPage(head.mediaType)) return streamedReply(passed, body, watchNothing())
  body.destroy()
  throw malformedResponse(head.target.provider, 'a web page')
}
