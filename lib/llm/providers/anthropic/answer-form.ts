import type { ModelParameters, Tool } from '../../message.ts'
import type { ClaudeModel } from './models.ts'
import { answerSchema } from './schema.ts'

/** The schema of the answer in the form that the model takes; undefined where none is wanted, or it takes none. */
export const schemaFor = (
  { responseFormat }: ModelParameters,
  model: ClaudeModel,
): Readonly<Record<string, unknown>> | undefined =>
  responseFormat?.type === 'json-schema' && model.hasSchemas ? answerSchema(responseFormat.schema) : undefined

/** The tool whose input is the answer, where an answer of a schema is wanted that the model does not take as such. */
export const answerTool = (parameters: ModelParameters, model: ClaudeModel): Tool | undefined => {
  const { responseFormat, tools = [] } = parameters
  if (responseFormat?.type !== 'json-schema' || tools.length > 0 || !model.takesForcedChoice) return undefined
  if (schemaFor(parameters, model)) return undefined
  return { name: responseFormat.name, parameters: responseFormat.schema, description: 'Gives the answer.' }
}

const wantsForced = ({ tools = [], toolChoice }: ModelParameters): boolean => {
  if (tools.length === 0 || !toolChoice) return false
  const { type } = toolChoice
  return type === 'tool' || type === 'required' || (type === 'allowed' && toolChoice.mode === 'required')
}

/** Whether a tool is wanted by all means, of a model that cannot be made to call one. */
export const isForceLost = (parameters: ModelParameters, model: ClaudeModel): boolean =>
  wantsForced(parameters) && !model.takesForcedChoice

/** Whether the request forces a tool, beside which Anthropic takes no thinking. */
export const isForced = (parameters: ModelParameters, model: ClaudeModel): boolean =>
  answerTool(parameters, model) !== undefined || (wantsForced(parameters) && model.takesForcedChoice)
