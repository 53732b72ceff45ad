import { GatewayError } from '../../../errors.ts'
import { isLong, writeJson } from '../../../long-json.ts'
import { inTurns } from '../../../loop-turns.ts'
import { endOfContainer, isObject, memberIn } from '../../../raw-json.ts'
import { type Attempt, ignored } from '../../../request-context.ts'
import { type SseEvent, SseEventTooLarge } from '../../../sse-parser.ts'
import { addedText, oneGroup } from '../../events.ts'
import type { Call, Provider, Reply, ReplyHead, Target } from '../../types.ts'
import type { ProviderDeps } from '../definition.ts'
import { bodyOf, PeekedBody, type ResponseBody } from './body.ts'
import { assertParsable } from './long-answer.ts'
import { MalformedResponse, malformedError, wrongLength } from './malformed.ts'
import { rateHeadroomOf } from './rate-headers.ts'
import { assertAllTaken, type CallWarning } from './raw-request.ts'
import { finishEvent, partOrError, type ReplyPart } from './reply-part.ts'
import { isTruncated } from './stream-event.ts'
import { streamedReply } from './streamed-reply.ts'
import {
  LONGEST_VALUE,
  type ParameterLookup,
  type Unsupported,
  UnsupportedParameters,
  type UnsupportedParts,
} from './unsupported-parameters.ts'
import { attemptHeaders, readText, type UpstreamAddress, type UpstreamResponse } from './upstream.ts'
import {
  connectionError,
  endedBeforeLength,
  malformedResponse,
  UpstreamHttpError,
  upstreamError,
} from './upstream-error.ts'
import { estimatedInputTokens, isReported, usageOf } from './usage.ts'

/** An answer in one piece, as a stream of one group of events; throws the part's error. */
const wholeReply = (
  head: ReplyHead,
  part: ReplyPart,
  estimatedInputTokens: () => number,
  attempt: Attempt,
): Reply => {
  const failed = (error: GatewayError): GatewayError => {
    if (isReported(part.usage))
      attempt.usage = usageOf(part.usage, { textBytes: 0, isComplete: true, estimatedInputTokens })
    return error
  }
  if (part.error) throw failed(part.error)
  const { events: produced = [] } = part
  let [textBytes, refused, hasContent] = [part.otherTextBytes ?? 0, false, false]
  for (const event of produced) {
    textBytes += Buffer.byteLength(addedText(event))
    if (event.type === 'refusal-delta') refused = true
    if (event.type !== 'wire' || event.isContent) hasContent = true
  }
  const finish = finishEvent({ finish: part.finish, refused, hasContent })
  if (!finish) throw failed(malformedResponse(head.target.provider, 'missing message'))
  const usage = usageOf(part.usage, {
    textBytes,
    isComplete: true,
    estimatedInputTokens,
  })
  return { head, usage: Promise.resolve(usage), events: oneGroup([...produced, finish]) }
}

/** Translators for a vendor's whole and streamed replies. An exception means a malformed response. */
type Translators = Readonly<{
  whole: (body: string) => ReplyPart
  event: (event: SseEvent) => ReplyPart
}>

/** Most bytes of an answer that are read: as many as the body of a request to `/v1` may have by default. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024
/** Most bytes of an encoded answer, which costs its sender little. A longer text is checked before it is parsed. */
const LONG = 8 * 1024 * 1024

/** The caller's error for a failure while a response was read. */
export const readingError = (
  provider: string,
  signal: AbortSignal,
  response: UpstreamResponse,
  thrown: unknown,
): GatewayError => {
  if (thrown instanceof RangeError)
    return malformedError(provider, new MalformedResponse(thrown.message, { isFinal: true }))
  if (thrown instanceof SseEventTooLarge)
    return malformedError(provider, new MalformedResponse(thrown.message))
  if (thrown instanceof MalformedResponse) return malformedError(provider, thrown)
  if (!signal.aborted && response.hasLength && endedBeforeLength(thrown))
    return malformedError(provider, wrongLength(thrown))
  return connectionError(provider, signal, thrown)
}

/** Whether a text is the beginning of JSON without its end. */
const isCutOff = async (text: string): Promise<boolean> =>
  isTruncated(text) && (await inTurns(endOfContainer(`${text} `, 0))) > text.length

const isJson = (contentType: string | null): boolean => contentType?.startsWith('application/json') ?? false

const isEventStream = (contentType: string | null): boolean =>
  contentType?.toLowerCase().includes('text/event-stream') ?? false

/**
 * An upstream's successful response as a reply: a stream or a whole JSON document by its first bytes, whatever was
 * requested. The content type decides where the bytes are ambiguous. Resolves when the first content is available.
 */
export const replyFrom = async (
  response: UpstreamResponse,
  call: Call,
  head: ReplyHead,
  translators: Translators,
  attempt: Attempt,
): Promise<Reply> => {
  const { provider } = head.target
  const { signal, journal } = call
  const errorOf = (thrown: unknown): GatewayError => readingError(provider, signal, response, thrown)
  const failed = (thrown: unknown): never => {
    response.body.destroy()
    throw errorOf(thrown)
  }
  const read = async (body: ResponseBody): Promise<string> => {
    const most = response.isEncoded ? LONG : MAX_ANSWER_BYTES
    const text = await readText(body, most).catch(failed)
    if (text.length <= LONG) return text
    await assertParsable(text).catch(failed)
    return text
  }
  const whole = async (text: string): Promise<Reply> => {
    const part = partOrError(provider, undefined, () => translators.whole(text))
    // HTTP ends a body at its declared length, so that a longer one is truncated.
    if (part.error && response.hasLength && (await isCutOff(text))) return failed(wrongLength())
    return wholeReply(head, part, () => estimatedInputTokens(call), attempt)
  }
  const isWhole = !call.stream && !response.isEncoded && isJson(response.get('content-type'))
  const text = isWhole ? await read(response.body) : undefined
  if (text?.startsWith('{')) return whole(text)
  const opened = async () => {
    const body = new PeekedBody(text === undefined ? response.decoded() : bodyOf(text))
    return { body, start: await body.start(), isEmpty: body.isEmpty }
  }
  const { body, start, isEmpty } = await opened().catch(failed)
  if (start === 'events' || (start === 'unknown' && isEventStream(response.get('content-type'))))
    return streamedReply({
      head,
      body,
      signal,
      errorOf,
      truncatedError:
        response.hasLength && !isEmpty ? wrongLength : () => new MalformedResponse('it ended too early'),
      translate: event => {
        try {
          return translators.event(event)
        } catch (thrown) {
          return { error: malformedError(provider, thrown) }
        }
      },
      onIgnored: () => ignored(journal),
      onFailedUsage: usage => {
        attempt.usage = usage
      },
      estimatedInputTokens: () => estimatedInputTokens(call),
    })
  return whole(await read(body))
}

/** One vendor's protocol: its endpoint, and pure translations of requests and replies. */
export type Protocol = Readonly<{
  address: UpstreamAddress | Promise<UpstreamAddress>
  /**
   * Translates a call to the vendor's request, without parameters that the model is known to refuse: a value to send as
   * JSON, or JSON text, which is promised where it is written in turns.
   */
  request: (call: Call, target: Target, unsupported: Unsupported) => object | string | Promise<string>
  /** The parameters of a call that the request leaves out, by the names of the client's format. */
  omitted: (call: Call, target: Target, unsupported: Unsupported) => readonly string[]
  /**
   * Warnings about parts of the call that the request does not honour.
   *
   * @param omitted the parameters that it leaves out, as `omitted` names them
   */
  warnings: (
    call: Call,
    target: Target,
    unsupported: Unsupported,
    omitted: readonly string[],
  ) => readonly CallWarning[]
  /** Headers that a call adds to those of the address, or replaces. */
  headers?: (call: Call) => Readonly<Record<string, string>> | undefined
  /** The response header with the vendor's request id. */
  requestIdHeader: string
  /** Created for each answer: a stream's reader may keep state of earlier events. */
  translators: (call: Call, replyId: string, target: Target) => Translators
}>

/** How often a call is repeated without parameters that the model has just refused. */
const MAX_ADAPTATIONS = 3

const NOTHING: UnsupportedParts = { parameters: [], values: [] }

const unsupportedIn = (thrown: unknown): UnsupportedParts =>
  (thrown instanceof GatewayError && thrown.cause instanceof UpstreamHttpError && thrown.cause.unsupported) ||
  NOTHING

/** The parameters of a request but long ones. One that is text has those of the client's body. */
const lookupIn = (request: object | string, { raw }: Call): ParameterLookup => {
  if (typeof request === 'object') return name => (isObject(request) ? request[name] : undefined)
  return name => {
    const written = raw && memberIn(raw.members, name)
    return written === undefined || written.length > LONGEST_VALUE ? undefined : JSON.parse(written)
  }
}

const NO_VALUES: Unsupported = new Set()

/** Whether a warning is about a parameter that is left out for its value. @param neverTaken what is left out with any value */
const isOfValue = (
  warning: CallWarning,
  omitted: readonly string[],
  neverTaken: readonly string[],
): warning is CallWarning & { param: string } =>
  warning.param !== undefined && omitted.includes(warning.param) && !neverTaken.includes(warning.param)

const valueNotSent = (param: string): CallWarning => ({
  param,
  text: `This model does not take that value of ${param}; it was not sent.`,
})

/** A request as JSON; a long one is written between other work. */
const textOf = async (request: object | string): Promise<string> => {
  if (typeof request === 'string') return request
  return isLong(request) ? inTurns(writeJson(request)) : JSON.stringify(request)
}

/** What a model is known to refuse of a call: parameters, and others of which it refuses the call's value. */
type Refused = Readonly<{ parameters: Unsupported; values: Unsupported }>

/** A request as it is sent, without what is refused. */
type FittedRequest = Refused & Readonly<{ request: object | string; json: string; unsupported: Unsupported }>

/**
 * A provider over HTTP. The only place where providers do I/O. When a model refuses a parameter, that is remembered,
 * and the call is repeated without it as part of the same attempt, so that it does not count as a failure.
 */
export const httpProvider = (id: string, protocol: Protocol, deps: ProviderDeps): Provider => {
  const { post, clock, newId, onRateHeadroom, redact } = deps
  const learned = new UnsupportedParameters(clock)

  const send = async (call: Call, json: string, attempt: Attempt): Promise<UpstreamResponse> => {
    try {
      const { url, headers } = await protocol.address
      const own = { ...headers, ...protocol.headers?.(call), ...attemptHeaders(call, attempt) }
      return await post({ url, headers: own }, json, call.signal)
    } catch (thrown) {
      throw connectionError(id, call.signal, thrown)
    }
  }

  const errorOf = async (response: UpstreamResponse): Promise<GatewayError> =>
    upstreamError({
      provider: id,
      status: response.status,
      body: await response.errorBody(),
      headers: response,
      nowMs: clock.now(),
      redact,
      upstreamRequestId: response.get(protocol.requestIdHeader),
    })

  const reportRateHeadroom = (response: UpstreamResponse, target: Target): void => {
    const headroom = rateHeadroomOf(response, clock.now())
    if (headroom) onRateHeadroom(target, headroom)
  }

  const askOnce = async (call: Call, json: string, head: ReplyHead, attempt: Attempt): Promise<Reply> => {
    const response = await send(call, json, attempt)
    if (call.background) reportRateHeadroom(response, head.target)
    if (!response.ok) throw await errorOf(response)
    return replyFrom(response, call, head, protocol.translators(call, head.id, head.target), attempt)
  }

  const headOf = (
    call: Call,
    target: Target,
    { unsupported, parameters, values }: FittedRequest,
  ): ReplyHead => {
    const omitted = protocol.omitted(call, target, unsupported)
    const neverTaken = values.size === 0 ? omitted : protocol.omitted(call, target, parameters)
    const warnings = protocol
      .warnings(call, target, unsupported, omitted)
      .map(warning => (isOfValue(warning, omitted, neverTaken) ? valueNotSent(warning.param) : warning))
    assertAllTaken(call, neverTaken, warnings)
    return {
      id: newId(),
      target,
      cache: 'miss',
      ...(warnings.length > 0 && { warnings: warnings.map(({ text }) => text) }),
      ...(omitted.length > 0 && { omitted }),
    }
  }

  /** A call's request without what the model is known to refuse of it, values among that. */
  const fitted = async (
    call: Call,
    target: Target,
    { parameters, values }: Refused,
  ): Promise<FittedRequest> => {
    const unsupported = values.size === 0 ? parameters : new Set([...parameters, ...values])
    const written = protocol.request(call, target, unsupported)
    const request = written instanceof Promise ? await written : written
    const known = learned.valuesOf(target.model, lookupIn(request, call))
    return known.every(name => unsupported.has(name))
      ? { request, json: await textOf(request), unsupported, parameters, values }
      : fitted(call, target, { parameters, values: new Set([...values, ...known]) })
  }

  /** The request of a call that was refused, without what the error reports as unsupported; the error where it is none. */
  const adapted = async (call: Call, target: Target, sent: FittedRequest, thrown: unknown) => {
    const { parameters, values } = unsupportedIn(thrown)
    if ((parameters.length === 0 && values.length === 0) || call.signal.aborted) throw thrown
    if (parameters.length > 0) learned.add(target.model, parameters)
    learned.addValues(target.model, values, lookupIn(sent.request, call))
    const next = await fitted(call, target, {
      parameters: new Set([...sent.parameters, ...learned.of(target.model), ...parameters]),
      values: new Set([...sent.values, ...values]),
    })
    if (next.json === sent.json) throw thrown
    return next
  }

  return {
    id,
    async ask(call, target, attempt) {
      let sent = await fitted(call, target, { parameters: learned.of(target.model), values: NO_VALUES })
      for (let adaptations = 0; ; adaptations += 1) {
        try {
          return await askOnce(call, sent.json, headOf(call, target, sent), attempt)
        } catch (thrown) {
          if (adaptations === MAX_ADAPTATIONS) throw thrown
          sent = await adapted(call, target, sent, thrown)
        }
      }
    },
  }
}
