import type { Call, Target } from '../../types.ts'
import { type TemperatureRange, temperatureFor, temperatureWarnings } from '../shared/chat-request.ts'
import type { Unsupported } from '../shared/unsupported-parameters.ts'

const rangeOf = (unsupported: Unsupported): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: unsupported.has('temperature'),
})

/** Whether a system message follows another role's message. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(({ role }, index) => role === 'system' && messages[index - 1]?.role !== 'system' && index > 0)

/** Warnings about changes that `messagesRequest` makes to a call. */
export const messagesWarnings = (call: Call, _: Target, unsupported: Unsupported): readonly string[] => {
  const warnings = temperatureWarnings(call, rangeOf(unsupported))
  return isSystemLate(call)
    ? [...warnings, 'This model takes system messages first only; later ones were moved to the beginning.']
    : warnings
}

/** Translates a call to `POST /v1/messages`: system messages are separate from the conversation. */
export const messagesRequest = (call: Call, target: Target, unsupported: Unsupported) => {
  const temperature = temperatureFor(call, rangeOf(unsupported))
  const system = call.messages.filter(({ role }) => role === 'system').map(({ content }) => content)
  return {
    model: target.model,
    max_tokens: call.maxOutputTokens,
    messages: call.messages.filter(({ role }) => role !== 'system'),
    ...(system.length > 0 && { system: system.join('\n\n') }),
    ...(temperature !== undefined && { temperature }),
    ...(call.stream && { stream: true }),
  }
}
