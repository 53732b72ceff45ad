import type { Clock } from '../../../clock.ts'
import { GatewayError } from '../../../errors.ts'
import type { Provider } from '../../types.ts'
import { isRawFor } from './raw-request.ts'
import { UpstreamHttpError } from './upstream-error.ts'

const FORGET_AFTER_MS = 3_600_000

const isEndpointMissing = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.cause instanceof UpstreamHttpError &&
  thrown.cause.isEndpointMissing

/**
 * A vendor with both of OpenAI's formats: calls in the form of Responses pass on as they are, all others are chat
 * completions. A server without the endpoint is remembered for an hour, and such calls are translated, the first one as
 * part of the same attempt.
 */
export const responsesOrChat = (responses: Provider, chat: Provider, clock: Clock): Provider => {
  let missingUntil = Number.NEGATIVE_INFINITY
  return {
    id: chat.id,
    async ask(call, target, attempt) {
      if (!isRawFor(call, 'openai-responses') || clock.now() < missingUntil)
        return chat.ask(call, target, attempt)
      try {
        return await responses.ask(call, target, attempt)
      } catch (thrown) {
        if (!isEndpointMissing(thrown)) throw thrown
        missingUntil = clock.now() + FORGET_AFTER_MS
        return chat.ask(call, target, attempt)
      }
    },
  }
}
