import type { Call, Target } from '../../types.ts'
import type { Refusals } from './learned-refusals.ts'
import { type TemperatureRange, temperatureFor, temperatureWarnings } from './temperature.ts'

const rangeOf = (refused: Refusals): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: refused.has('temperature'),
})

/** Whether the system speaks after somebody else has. */
const isSystemLate = ({ messages }: Call): boolean =>
  messages.some(({ role }, index) => role === 'system' && messages[index - 1]?.role !== 'system' && index > 0)

/** What `messagesRequest` changes about a call. */
export const messagesWarnings = (call: Call, _: Target, refused: Refusals): readonly string[] => {
  const warnings = temperatureWarnings(call, rangeOf(refused))
  return isSystemLate(call)
    ? [...warnings, 'This model takes system messages first only; later ones were moved to the beginning.']
    : warnings
}

/** Our call in the words of `POST /v1/messages`: what the system says stands apart from the conversation. */
export const messagesRequest = (call: Call, target: Target, refused: Refusals) => {
  const temperature = temperatureFor(call, rangeOf(refused))
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
