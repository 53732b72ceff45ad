import type { GatewayError } from '../../../errors.ts'
import { ignored } from '../../../request-context.ts'
import { type SseEvent, SseEventTooLarge } from '../../../sse-parser.ts'
import { oneGroup } from '../../tap.ts'
import type { Call, Reply, ReplyEvent, ReplyHead } from '../../types.ts'
import { bodyOf, PeekedBody } from './body.ts'
import { finishEvent } from './finish-reason.ts'
import { parseJson } from './lenient.ts'
import { MalformedResponse, malformedError, wrongLength } from './malformed.ts'
import type { ReplyPart } from './reply-part.ts'
import { isTruncated } from './stream-event.ts'
import { streamedReply } from './streamed-reply.ts'
import { estimatedInputTokens } from './tokens.ts'
import { readRawText, readText, type UpstreamResponse } from './upstream.ts'
import { connectionError, endedBeforeLength, malformedResponse } from './upstream-error.ts'
import { usageOf } from './usage.ts'

/** An answer in one piece, as a stream of one group of events; throws the part's error. */
const wholeReply = (head: ReplyHead, part: ReplyPart, estimatedInputTokens: () => number): Reply => {
  if (part.error) throw part.error
  const text = part.text ?? ''
  const finish = finishEvent({
    finish: part.finish,
    refused: part.refused ?? false,
    hasText: text !== '',
  })
  if (!finish) throw malformedResponse(head.target.provider, 'missing message')
  const events: ReplyEvent[] = text === '' ? [finish] : [{ type: 'text-delta', text }, finish]
  const usage = usageOf(part.usage, {
    textBytes: Buffer.byteLength(text),
    isComplete: true,
    estimatedInputTokens,
  })
  return { head, usage: Promise.resolve(usage), events: oneGroup(events) }
}

/** Translators for a vendor's whole and streamed replies. An exception means a malformed response. */
export type Translators = Readonly<{
  whole: (body: string) => ReplyPart
  event: (event: SseEvent) => ReplyPart
}>

const MAX_ANSWER_BYTES = 8 * 1024 * 1024

const translated = (provider: string, translate: () => ReplyPart): ReplyPart => {
  try {
    return translate()
  } catch (thrown) {
    return { error: malformedError(provider, thrown) }
  }
}

/** The caller's error for a failure while a response was read. */
const readingError = (
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
): Promise<Reply> => {
  const { provider } = head.target
  const { signal, journal } = call
  const errorOf = (thrown: unknown): GatewayError => readingError(provider, signal, response, thrown)
  const failed = (thrown: unknown): never => {
    response.body.destroy()
    throw errorOf(thrown)
  }
  const whole = (text: string): Reply => {
    const part = translated(provider, () => translators.whole(text))
    // HTTP ends a body at its declared length, so that a longer one is truncated.
    if (part.error && response.hasLength && isTruncated(text) && parseJson(text) === undefined)
      return failed(wrongLength())
    return wholeReply(head, part, () => estimatedInputTokens(call))
  }
  const isWhole = !call.stream && !response.isEncoded && isJson(response.get('content-type'))
  const text = isWhole ? await readRawText(response.body, MAX_ANSWER_BYTES).catch(failed) : undefined
  if (text?.startsWith('{')) return whole(text)
  const opened = async () => {
    const body = new PeekedBody(text === undefined ? response.decoded() : bodyOf(text))
    return { body, start: await body.start() }
  }
  const { body, start } = await opened().catch(failed)
  if (start === 'events' || (start === 'unknown' && isEventStream(response.get('content-type'))))
    return streamedReply({
      head,
      body,
      signal,
      errorOf,
      truncatedError: response.hasLength ? wrongLength : () => new MalformedResponse('it ended too early'),
      translate: event => {
        try {
          return translators.event(event)
        } catch (thrown) {
          return { error: malformedError(provider, thrown) }
        }
      },
      onIgnored: () => ignored(journal),
      estimatedInputTokens: () => estimatedInputTokens(call),
    })
  return whole(await readText(body, MAX_ANSWER_BYTES).catch(failed))
}
