import type { ModelParameters, Tool, ToolChoice } from '../../message.ts'
import type { Call, Target } from '../../types.ts'
import { temperatureFor } from '../shared/chat-request.ts'
import { assertTranslatable, isRawFor, rawRequest } from '../shared/raw-request.ts'
import type { Unsupported } from '../shared/unsupported-parameters.ts'
import { answerTool, limitsFor, rangeOf } from './limits.ts'
import { conversationOf, systemOf } from './messages.ts'
import { refusedOf } from './omitted.ts'

const ANY_INPUT = { type: 'object', properties: {} }
const TEXT_INPUT = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

const toolFor = ({ name, description, parameters, custom }: Tool): object => ({
  name,
  ...(description !== undefined && { description }),
  input_schema: custom ? TEXT_INPUT : (parameters ?? ANY_INPUT),
})

const choiceFor = (choice: ToolChoice): Readonly<Record<string, unknown>> => {
  switch (choice.type) {
    case 'tool':
      return { type: 'tool', name: choice.name }
    case 'allowed':
      return { type: choice.mode === 'required' ? 'any' : 'auto' }
    case 'required':
      return { type: 'any' }
    default:
      return { type: choice.type }
  }
}

const toolsFor = (parameters: ModelParameters): object => {
  const answer = answerTool(parameters)
  if (answer) return { tools: [toolFor(answer)], tool_choice: { type: 'tool', name: answer.name } }
  const { tools = [], toolChoice, parallelToolCalls } = parameters
  if (tools.length === 0) return {}
  const allowed = toolChoice?.type === 'allowed' ? new Set(toolChoice.names) : undefined
  const isSingle = parallelToolCalls === false
  const choice = toolChoice ? choiceFor(toolChoice) : { type: 'auto' }
  return {
    tools: tools.filter(({ name }) => allowed?.has(name) ?? true).map(toolFor),
    ...((toolChoice || isSingle) && {
      tool_choice: {
        ...choice,
        ...(isSingle && choice.type !== 'none' && { disable_parallel_tool_use: true }),
      },
    }),
  }
}

/** Translates a call to `POST /v1/messages`: system messages are separate from the conversation. */
export const messagesRequest = (call: Call, target: Target, unsupported: Unsupported): object | string => {
  if (isRawFor(call, 'anthropic-messages')) {
    // A model may refuse a parameter by its name alone.
    const written = call.raw.members.map(([name]) => name)
    const refused = new Set(refusedOf(written, unsupported))
    return rawRequest(call.raw, {
      model: target.model,
      stream: call.stream,
      wantsUsage: false,
      omitted: name => refused.has(name),
    })
  }
  assertTranslatable(call)
  const { parameters = {} } = call
  const system = systemOf(call.messages)
  const { answer, reasoning } = limitsFor(call)
  const temperature = temperatureFor(call, rangeOf(call, unsupported))
  return {
    model: target.model,
    max_tokens: answer + reasoning,
    messages: conversationOf(call.messages),
    ...(system !== '' && { system }),
    ...(temperature !== undefined && { temperature }),
    ...(parameters.topP !== undefined && { top_p: parameters.topP }),
    ...(parameters.topK !== undefined && { top_k: parameters.topK }),
    ...(parameters.stop && { stop_sequences: parameters.stop }),
    ...(parameters.user !== undefined && { metadata: { user_id: parameters.user } }),
    ...toolsFor(parameters),
    ...(reasoning > 0 && { thinking: { type: 'enabled', budget_tokens: reasoning } }),
    ...(call.stream && { stream: true }),
  }
}
