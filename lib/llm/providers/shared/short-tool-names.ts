import { transform } from '../../events.ts'
import type { Message, ModelParameters, ToolChoice } from '../../message.ts'
import { LONGEST_TOOL_NAME, shortToolName } from '../../openai-tool-call.ts'
import type { Call, Provider, ReplyEvent } from '../../types.ts'

const shortChoice = (choice: ToolChoice): ToolChoice => {
  if (choice.type === 'tool') return { ...choice, name: shortToolName(choice.name) }
  return choice.type === 'allowed' ? { ...choice, names: choice.names.map(shortToolName) } : choice
}

const shortParameters = ({ tools = [], toolChoice, ...others }: ModelParameters): ModelParameters => ({
  ...others,
  tools: tools.map(tool => ({ ...tool, name: shortToolName(tool.name) })),
  ...(toolChoice && { toolChoice: shortChoice(toolChoice) }),
})

const shortCalls = (message: Message): Message =>
  message.role === 'assistant' && message.toolCalls
    ? { ...message, toolCalls: message.toolCalls.map(call => ({ ...call, name: shortToolName(call.name) })) }
    : message

const withOwnName = (event: ReplyEvent, names: ReadonlyMap<string, string>): ReplyEvent =>
  event.type === 'tool-call-delta' && event.name !== undefined
    ? { ...event, name: names.get(event.name) ?? event.name }
    : event

/** A client of OpenAI's own formats gets OpenAI's refusal of a long name. */
const isOfOpenAi = ({ raw }: Call): boolean => raw !== undefined && raw.format !== 'anthropic-messages'

/** Gives the vendor short names of a translated call's tools in place of long ones, and the client its own ones. */
export const shortToolNames = (provider: Provider): Provider => ({
  ...provider,
  async ask(call, target, attempt) {
    const { parameters } = call
    const long = parameters?.tools?.filter(({ name }) => name.length > LONGEST_TOOL_NAME) ?? []
    if (!parameters || long.length === 0 || isOfOpenAi(call)) return provider.ask(call, target, attempt)
    const names = new Map(long.map(({ name }) => [shortToolName(name), name]))
    const messages = call.messages.map(shortCalls)
    const sent = { ...call, messages, parameters: shortParameters(parameters) }
    const reply = await provider.ask(sent, target, attempt)
    return transform(reply, events => ({ events: events.map(event => withOwnName(event, names)) }))
  },
})
