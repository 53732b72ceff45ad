import type { ModelParameters, Tool } from '../../message.ts'
import type { Call } from '../../types.ts'
import type { OutputLimits } from '../definition.ts'
import type { TemperatureRange } from '../shared/chat-request.ts'
import { isRawFor } from '../shared/raw-request.ts'
import type { Unsupported } from '../shared/unsupported-parameters.ts'

/** Anthropic requires a limit. Its models have at least this one. */
const DEFAULT_MAX_TOKENS = 4_096

/** The tool whose input is the answer, for a call that wants an answer of a schema. */
export const answerTool = ({ responseFormat, tools = [] }: ModelParameters): Tool | undefined =>
  responseFormat?.type === 'json-schema' && tools.length === 0
    ? { name: responseFormat.name, parameters: responseFormat.schema, description: 'Gives the answer.' }
    : undefined

/** Tokens of reasoning by effort; Anthropic's least is 1,024. */
const EFFORT_TOKENS: ReadonlyMap<string, number> = new Map([
  ['low', 1_024],
  ['medium', 4_096],
  ['high', 16_384],
  ['xhigh', 32_768],
  ['max', 32_768],
])

/** Tokens of reasoning; none where an earlier tool call has lost its reasoning, which Anthropic would require. */
export const reasoningTokensFor = ({ messages, parameters = {} }: Call): number => {
  const isLost = messages.some(
    message =>
      message.role === 'assistant' && message.toolCalls && !message.reasoning?.some(one => one.signature),
  )
  if (isLost || answerTool(parameters)) return 0
  const { reasoningTokens, reasoningEffort = '' } = parameters
  return reasoningTokens ?? EFFORT_TOKENS.get(reasoningEffort) ?? 0
}

export const limitsFor = (call: Call): OutputLimits => ({
  answer: call.maxOutputTokens ?? DEFAULT_MAX_TOKENS,
  reasoning: reasoningTokensFor(call),
})

/** The limits of a call that is translated: Anthropic takes them as one. */
export const outputLimits = (call: Call): OutputLimits | undefined =>
  isRawFor(call, 'anthropic-messages') ? undefined : limitsFor(call)

/** With reasoning Anthropic takes only its default temperature. */
export const rangeOf = (call: Call, unsupported: Unsupported): TemperatureRange => ({
  highestTemperature: 1,
  isFixed: unsupported.has('temperature') || reasoningTokensFor(call) > 0,
})
