import type { ModelParameters, Tool, ToolChoice } from '../../message.ts'
import type { Call, Target } from '../../types.ts'
import { assertTranslatable, isRawFor, rawRequestInTurns } from '../shared/raw-request.ts'
import type { Unsupported } from '../shared/unsupported-parameters.ts'
import { answerTool, isForceLost, schemaFor } from './answer-form.ts'
import { inputSchema } from './input-schema.ts'
import { limitsFor } from './limits.ts'
import { cacheControlFor, conversationOf, isBlank, messagesForClaude, systemFor } from './messages.ts'
import { type ClaudeModel, claudeModel } from './models.ts'
import { refusedOf } from './omitted.ts'
import { samplingFor } from './sampling.ts'
import { type Thinking, thinkingFor } from './thinking.ts'

const TEXT_INPUT = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] }

const toolFor = ({ name, description, parameters, custom, cacheControl, written }: Tool): object =>
  written ?? {
    name,
    ...(description !== undefined && { description }),
    input_schema: custom ? TEXT_INPUT : inputSchema(parameters),
    ...cacheControlFor(cacheControl),
  }

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

/** The tools that a choice leaves. Where a model cannot be made to call one of them, it sees no other. */
const chosenTools = (parameters: ModelParameters, model: ClaudeModel): readonly Tool[] => {
  const { tools = [], toolChoice } = parameters
  if (toolChoice?.type === 'allowed') {
    const allowed = new Set(toolChoice.names)
    return tools.filter(({ name }) => allowed.has(name))
  }
  if (toolChoice?.type !== 'tool' || !isForceLost(parameters, model)) return tools
  const chosen = tools.filter(({ name }) => name === toolChoice.name)
  return chosen.length > 0 ? chosen : tools
}

const toolsFor = (parameters: ModelParameters, model: ClaudeModel): object => {
  const answer = answerTool(parameters, model)
  if (answer) return { tools: [toolFor(answer)], tool_choice: { type: 'tool', name: answer.name } }
  const { tools = [], toolChoice, parallelToolCalls } = parameters
  if (tools.length === 0) return {}
  const isSingle = parallelToolCalls === false
  const choice = toolChoice && !isForceLost(parameters, model) ? choiceFor(toolChoice) : { type: 'auto' }
  return {
    tools: chosenTools(parameters, model).map(toolFor),
    ...((toolChoice || isSingle) && {
      tool_choice: {
        ...choice,
        ...(isSingle && choice.type !== 'none' && { disable_parallel_tool_use: true }),
      },
    }),
  }
}

/** What a model shows of its thinking: newer ones nothing where it is not asked for. */
const SHOWN = { display: 'summarized' }
const LEAST_EFFORT = 'low'

/** How the model is to think, and in which form it is to answer. */
const thinkingAndForm = (
  parameters: ModelParameters,
  model: ClaudeModel,
  thinking: Thinking,
  reasoning: number,
): object => {
  const schema = schemaFor(parameters, model)
  const effort = thinking.mode === 'low' ? LEAST_EFFORT : thinking.mode === 'adaptive' && thinking.effort
  return {
    ...(thinking.mode === 'off' && { thinking: { type: 'disabled' } }),
    ...(thinking.mode === 'budget' && { thinking: { type: 'enabled', budget_tokens: reasoning } }),
    ...(thinking.mode === 'adaptive' && { thinking: { type: 'adaptive', ...SHOWN } }),
    ...((effort || schema) && {
      output_config: {
        ...(effort && { effort }),
        ...(schema && { format: { type: 'json_schema', schema } }),
      },
    }),
  }
}

/** Anthropic refuses sequences of white space alone. */
const stopFor = ({ stop = [] }: ModelParameters): object => {
  const sequences = stop.filter(one => !isBlank(one))
  return sequences.length > 0 ? { stop_sequences: sequences } : {}
}

/** Translates a call to `POST /v1/messages`: system messages are separate from the conversation. */
export const messagesRequest = (
  call: Call,
  target: Target,
  unsupported: Unsupported,
): object | string | Promise<string> => {
  if (isRawFor(call, 'anthropic-messages')) {
    // A model may refuse a parameter by its name alone.
    const written = call.raw.members.map(([name]) => name)
    const refused = new Set(refusedOf(written, unsupported))
    const changes = {
      model: target.model,
      stream: call.stream,
      wantsUsage: false,
      omitted: (name: string) => refused.has(name),
    }
    return rawRequestInTurns(call.raw, changes, messagesForClaude(call, target))
  }
  assertTranslatable(call)
  const { parameters = {} } = call
  const model = claudeModel(target.model)
  const system = systemFor(call.messages)
  const thinking = thinkingFor(call, model)
  const { answer, reasoning } = limitsFor(call, model, thinking)
  return {
    model: target.model,
    max_tokens: answer + reasoning,
    messages: conversationOf(call.messages),
    ...(system !== undefined && { system }),
    ...samplingFor(call, model, thinking, unsupported),
    ...stopFor(parameters),
    ...(parameters.user !== undefined &&
      !unsupported.has('metadata') && { metadata: { user_id: parameters.user } }),
    ...toolsFor(parameters, model),
    ...thinkingAndForm(parameters, model, thinking, reasoning),
    ...(call.stream && { stream: true }),
  }
}
