import type OpenAI from 'openai'
import type { Call, Message, Target } from '../../types.ts'
import { guessFromName } from './model-names.ts'
import type { OpenAiDialect } from './openai-chat.ts'
import { type TemperatureRange, temperatureFor, temperatureWarnings } from './temperature.ts'
import type { Unsupported } from './unsupported-parameters.ts'

type Request = OpenAI.Chat.ChatCompletionCreateParams
type ChatMessage = Readonly<{ role: Message['role'] | 'developer'; content: string }>
type LimitField = 'max_tokens' | 'max_completion_tokens'

/** The field for the output token limit: the guessed one, or the other one where it is refused. */
const limitFieldFor = (model: string, unsupported: Unsupported): LimitField | undefined => {
  const { usesMaxCompletionTokens } = guessFromName(model)
  const fields: readonly LimitField[] = usesMaxCompletionTokens
    ? ['max_completion_tokens', 'max_tokens']
    : ['max_tokens', 'max_completion_tokens']
  return fields.find(field => !unsupported.has(field))
}

const rangeOf = ({ model }: Target, dialect: OpenAiDialect, unsupported: Unsupported): TemperatureRange => ({
  ...dialect,
  isFixed: guessFromName(model).hasFixedTemperature || unsupported.has('temperature'),
})

/** Merges system messages into the user's message after them, or into a separate one where none follows. */
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

const messagesFor = ({ messages }: Call, unsupported: Unsupported): readonly ChatMessage[] => {
  if (!unsupported.has('system') || !messages.some(({ role }) => role === 'system')) return messages
  if (unsupported.has('developer')) return withoutSystemRole(messages)
  return messages.map(({ role, content }) => ({ role: role === 'system' ? 'developer' : role, content }))
}

/** Translates a call to `POST /chat/completions`, without parameters that the model is known to refuse. */
export const chatRequest = (
  call: Call,
  target: Target,
  dialect: OpenAiDialect,
  unsupported: Unsupported,
): Request => {
  const temperature = temperatureFor(call, rangeOf(target, dialect, unsupported))
  const limitField = limitFieldFor(target.model, unsupported)
  const isStream = call.stream && !unsupported.has('stream')
  const wantsUsage = isStream && !dialect.alwaysSendsUsage && !unsupported.has('stream_options')
  return {
    model: target.model,
    messages: messagesFor(call, unsupported) as OpenAI.Chat.ChatCompletionMessageParam[],
    ...(limitField && { [limitField]: call.maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    stream: isStream,
    ...(wantsUsage && { stream_options: { include_usage: true } }),
  }
}

/** Warnings about parts of the call that the request does not honour. */
export const chatWarnings = (
  call: Call,
  target: Target,
  dialect: OpenAiDialect,
  unsupported: Unsupported,
): readonly string[] => {
  const warnings = [...temperatureWarnings(call, rangeOf(target, dialect, unsupported))]
  if (!limitFieldFor(target.model, unsupported))
    warnings.push(
      `This model takes no limit for its answer; that of ${call.maxOutputTokens} tokens was not sent.`,
    )
  if (call.stream && unsupported.has('stream'))
    warnings.push('This model does not stream; its answer came in one piece.')
  const hasSystem = call.messages.some(({ role }) => role === 'system')
  if (hasSystem && unsupported.has('system') && unsupported.has('developer'))
    warnings.push('This model takes no system messages; they were sent as part of the user’s.')
  return warnings
}
