import type { Clock } from '../../../clock.ts'
import type { Call, Provider, Reply } from '../../types.ts'
import { refusedChat } from './chat-refusal.ts'
import { assertAllTaken, clientsName, isRawFor } from './raw-request.ts'
import { LearnedByModel } from './unsupported-parameters.ts'

const EFFORT = 'reasoning_effort'
const NONE = 'none'

const withoutReasoning = ({ parameters = {}, ...call }: Call): Call => {
  const { reasoningTokens: _, ...others } = parameters
  return { ...call, parameters: { ...others, reasoningEffort: NONE } }
}

const asksForEffort = ({ parameters: { reasoningEffort, reasoningTokens } = {} }: Call): boolean =>
  reasoningEffort !== undefined || reasoningTokens !== undefined

/** Names the effort among what was left out, where the client asked for one. */
const named = (call: Call, { head, ...reply }: Reply): Reply => {
  const warning = 'This model takes tools only without reasoning; it did not reason.'
  return {
    ...reply,
    head: {
      ...head,
      warnings: [...(head.warnings ?? []), warning],
      ...(asksForEffort(call) && { omitted: [...(head.omitted ?? []), clientsName(call, EFFORT)] }),
    },
  }
}

/**
 * Chat completions of models that take tools only where they do not reason: that is learned from their refusal,
 * remembered for an hour, and the call is repeated with the effort `none` as part of the same attempt. A client's own
 * body passes on as it is.
 */
export const toolsWithoutReasoning = (chat: Provider, clock: Clock): Provider => {
  const learned = new LearnedByModel<true>(clock)
  return {
    ...chat,
    async ask(call, target, attempt) {
      const { tools = [], reasoningEffort } = call.parameters ?? {}
      if (tools.length === 0 || reasoningEffort === NONE || isRawFor(call, 'openai-chat'))
        return chat.ask(call, target, attempt)
      if (!learned.of(target.model)) {
        try {
          return await chat.ask(call, target, attempt)
        } catch (thrown) {
          if (refusedChat(thrown) !== 'tools' || call.signal.aborted) throw thrown
          learned.add(target.model, true)
        }
      }
      if (asksForEffort(call)) assertAllTaken(call, [clientsName(call, EFFORT)])
      return named(call, await chat.ask(withoutReasoning(call), target, attempt))
    },
  }
}
