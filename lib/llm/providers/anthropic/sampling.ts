import type { Call } from '../../types.ts'
import { type TemperatureRange, temperatureFor } from '../shared/chat-request.ts'
import type { Unsupported } from '../shared/unsupported-parameters.ts'
import type { ClaudeModel } from './models.ts'
import { isThinkingOn, type Thinking } from './thinking.ts'

const DEFAULT_TEMPERATURE = 1
const DEFAULT_TOP_P = 1

/** How a model takes sampling parameters: beside thinking, not at all. */
const isFixed = (model: ClaudeModel, thinking: Thinking): boolean =>
  !model.takesSampling || isThinkingOn(thinking)

export const rangeOf = (
  model: ClaudeModel,
  thinking: Thinking,
  unsupported: Unsupported,
): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: unsupported.has('temperature') || isFixed(model, thinking),
})

/** The sampling parameters to send, by Anthropic's names. */
export const samplingFor = (call: Call, model: ClaudeModel, thinking: Thinking, unsupported: Unsupported) => {
  const { topP, topK } = call.parameters ?? {}
  const fixed = isFixed(model, thinking)
  const hasTopP = topP !== undefined && !fixed && !unsupported.has('top_p')
  const hasTopK = topK !== undefined && !fixed && !unsupported.has('top_k')
  const temperature = temperatureFor(call, rangeOf(model, thinking, unsupported))
  // Where temperature and top_p exclude each other, the usual temperature is not needed.
  const isExclusive = hasTopP && temperature !== undefined && !model.takesTopPWithTemperature
  const sendsTopPAlone = isExclusive && temperature === DEFAULT_TEMPERATURE
  return {
    ...(temperature !== undefined && !sendsTopPAlone && { temperature }),
    ...(hasTopP && (!isExclusive || sendsTopPAlone) && { top_p: topP }),
    ...(hasTopK && { top_k: topK }),
  }
}

type Sampling = Readonly<{ temperature?: number; top_p?: number; top_k?: number }>

/** Which sampling parameters of a call its request leaves out, though their values are not the usual ones. */
export const lostSampling = (
  call: Call,
  model: ClaudeModel,
  thinking: Thinking,
  unsupported: Unsupported,
) => {
  const sent: Sampling = samplingFor(call, model, thinking, unsupported)
  const { temperature, parameters: { topP, topK } = {} } = call
  const isLost = (asked: number | undefined, usual: number | undefined, name: keyof Sampling): boolean =>
    asked !== undefined && asked !== usual && sent[name] === undefined
  return {
    temperature: isLost(temperature, DEFAULT_TEMPERATURE, 'temperature'),
    top_p: isLost(topP, DEFAULT_TOP_P, 'top_p'),
    top_k: isLost(topK, undefined, 'top_k'),
  }
}
