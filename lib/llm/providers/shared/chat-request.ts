import type OpenAI from 'openai'
import type { Call, Message, Target } from '../../types.ts'
import type { Refusals } from './learned-refusals.ts'
import { guessFromName } from './model-names.ts'
import type { OpenAiDialect } from './openai-chat.ts'
import { type TemperatureRange, temperatureFor, temperatureWarnings } from './temperature.ts'

type Request = OpenAI.Chat.ChatCompletionCreateParams
type ChatMessage = Readonly<{ role: Message['role'] | 'developer'; content: string }>
type LimitField = 'max_tokens' | 'max_completion_tokens'

/** The field for the most output tokens: the guessed one, or the other one where it is refused. */
const limitFieldFor = (model: string, refused: Refusals): LimitField | undefined => {
  const { wantsCompletionTokens } = guessFromName(model)
  const fields: readonly LimitField[] = wantsCompletionTokens
    ? ['max_completion_tokens', 'max_tokens']
    : ['max_tokens', 'max_completion_tokens']
  return fields.find(field => !refused.has(field))
}

const rangeOf = ({ model }: Target, dialect: OpenAiDialect, refused: Refusals): TemperatureRange => ({
  ...dialect,
  isFixed: guessFromName(model).hasFixedTemperature || refused.has('temperature'),
})

/** System messages as part of the user's message after them, or of one of their own where none follows. */
const withoutSystemRole = (messages: readonly Message[]): ChatMessage[] => {
  const found: ChatMessage[] = []
  let waiting: string[] = []
  for (const { role, content } of messages) {
    if (role === 'system') {
      waiting.push(content)
      continue
    }
    if (role === 'user') {
      found.push({ role, content: [...waiting, content].join('\n\n') })
      waiting = []
    } else found.push({ role, content })
  }
  if (waiting.length > 0) found.push({ role: 'user', content: waiting.join('\n\n') })
  return found
}

const messagesFor = ({ messages }: Call, refused: Refusals): readonly ChatMessage[] => {
  if (!refused.has('system') || !messages.some(({ role }) => role === 'system')) return messages
  if (refused.has('developer')) return withoutSystemRole(messages)
  return messages.map(({ role, content }) => ({ role: role === 'system' ? 'developer' : role, content }))
}

/** Our call as `POST /chat/completions` takes it, without what the model is known to refuse. */
export const chatRequest = (
  call: Call,
  target: Target,
  dialect: OpenAiDialect,
  refused: Refusals,
): Request => {
  const temperature = temperatureFor(call, rangeOf(target, dialect, refused))
  const limitField = limitFieldFor(target.model, refused)
  const isStream = call.stream && !refused.has('stream')
  const wantsUsage = isStream && !dialect.tellsUsageUnasked && !refused.has('stream_options')
  return {
    model: target.model,
    messages: messagesFor(call, refused) as OpenAI.Chat.ChatCompletionMessageParam[],
    ...(limitField && { [limitField]: call.maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    stream: isStream,
    ...(wantsUsage && { stream_options: { include_usage: true } }),
  }
}

/** What of the call that request does not honour. */
export const chatWarnings = (
  call: Call,
  target: Target,
  dialect: OpenAiDialect,
  refused: Refusals,
): readonly string[] => {
  const warnings = [...temperatureWarnings(call, rangeOf(target, dialect, refused))]
  if (!limitFieldFor(target.model, refused))
    warnings.push(
      `This model takes no limit for its answer; that of ${call.maxOutputTokens} tokens was not sent.`,
    )
  if (call.stream && refused.has('stream'))
    warnings.push('This model does not stream; its answer came in one piece.')
  const hasSystem = call.messages.some(({ role }) => role === 'system')
  if (hasSystem && refused.has('system') && refused.has('developer'))
    warnings.push('This model takes no system messages; they were sent as part of the user’s.')
  return warnings
}
