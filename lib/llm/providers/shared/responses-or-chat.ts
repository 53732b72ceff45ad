import type { Clock } from '../../../clock.ts'
import { GatewayError } from '../../../errors.ts'
import type { Call, Provider, Target } from '../../types.ts'
import { type RefusedChat, refusedChat } from './chat-refusal.ts'
import { hasFileByUrl } from './openai-messages.ts'
import { isRawFor } from './raw-request.ts'
import { toolsWithoutReasoning } from './tools-without-reasoning.ts'
import { LearnedByModel } from './unsupported-parameters.ts'
import { UpstreamHttpError } from './upstream-error.ts'

const FORGET_AFTER_MS = 3_600_000

const isEndpointMissing = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.cause instanceof UpstreamHttpError &&
  thrown.cause.isEndpointMissing

const hasTools = ({ parameters }: Call): boolean => (parameters?.tools?.length ?? 0) > 0

/**
 * A vendor with both of OpenAI's formats: calls in the form of Responses pass on as they are, all others are chat
 * completions, but for models that refuse these and files by their URL, as long as a call is translated anyway: then it
 * is translated to Responses. Such refusals, and that a server lacks the endpoint, are remembered for an hour, and the
 * call that meets them is sent again as part of the same attempt.
 */
export const responsesOrChat = (responses: Provider, chat: Provider, clock: Clock): Provider => {
  const chatAlone = toolsWithoutReasoning(chat, clock)
  const refused = new LearnedByModel<RefusedChat>(clock)
  let missingUntil = Number.NEGATIVE_INFINITY

  const isForResponses = (call: Call, { model }: Target): boolean => {
    if (isRawFor(call, 'openai-responses')) return true
    if (isRawFor(call, 'openai-chat')) return false
    const known = refused.of(model)
    return hasFileByUrl(call) || known === 'model' || (known === 'tools' && hasTools(call))
  }

  const askResponses: Provider['ask'] = async (call, target, attempt) => {
    try {
      return await responses.ask(call, target, attempt)
    } catch (thrown) {
      if (!isEndpointMissing(thrown)) throw thrown
      missingUntil = clock.now() + FORGET_AFTER_MS
      return chatAlone.ask(call, target, attempt)
    }
  }

  return {
    id: chat.id,
    async ask(call, target, attempt) {
      if (clock.now() < missingUntil) return chatAlone.ask(call, target, attempt)
      if (isForResponses(call, target)) return askResponses(call, target, attempt)
      try {
        return await chat.ask(call, target, attempt)
      } catch (thrown) {
        const refusal = isRawFor(call, 'openai-chat') ? undefined : refusedChat(thrown)
        if (!refusal || call.signal.aborted) throw thrown
        refused.add(target.model, refusal)
        return askResponses(call, target, attempt)
      }
    },
  }
}
