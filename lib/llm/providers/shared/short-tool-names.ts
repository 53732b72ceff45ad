import { hash } from 'node:crypto'
import { transform } from '../../events.ts'
import type { Message, ModelParameters, ToolChoice } from '../../message.ts'
import type { Call, Provider, ReplyEvent } from '../../types.ts'

/** OpenAI and its followers refuse longer names of tools; Anthropic's may have 128 characters. */
const LONGEST_NAME = 64
const LONGEST_HASH = 16

const shortName = (name: string): string =>
  name.length <= LONGEST_NAME
    ? name
    : `${name.slice(0, LONGEST_NAME - LONGEST_HASH - 1)}_${hash('sha256', name).slice(0, LONGEST_HASH)}`

const withShortChoice = (choice: ToolChoice): ToolChoice => {
  if (choice.type === 'tool') return { ...choice, name: shortName(choice.name) }
  return choice.type === 'allowed' ? { ...choice, names: choice.names.map(shortName) } : choice
}

const withShortNames = ({ tools = [], toolChoice, ...others }: ModelParameters): ModelParameters => ({
  ...others,
  tools: tools.map(tool => ({ ...tool, name: shortName(tool.name) })),
  ...(toolChoice && { toolChoice: withShortChoice(toolChoice) }),
})

const withShortCalls = (message: Message): Message =>
  message.role === 'assistant' && message.toolCalls
    ? { ...message, toolCalls: message.toolCalls.map(call => ({ ...call, name: shortName(call.name) })) }
    : message

const withOwnName = (event: ReplyEvent, names: ReadonlyMap<string, string>): ReplyEvent =>
  event.type === 'tool-call-delta' && event.name !== undefined
    ? { ...event, name: names.get(event.name) ?? event.name }
    : event

/** Whether the body that passes on, or was written for this protocol, is the client's own affair. */
const isOfProtocol = ({ raw }: Call): boolean => raw !== undefined && raw.format !== 'anthropic-messages'

/** Gives the vendor short names of a translated call's tools in place of long ones, and the client its own ones. */
export const shortToolNames = (provider: Provider): Provider => ({
  ...provider,
  async ask(call, target, attempt) {
    const { parameters } = call
    const long = parameters?.tools?.filter(({ name }) => name.length > LONGEST_NAME) ?? []
    if (!parameters || long.length === 0 || isOfProtocol(call)) return provider.ask(call, target, attempt)
    const names = new Map(long.map(({ name }) => [shortName(name), name]))
    const messages = call.messages.map(withShortCalls)
    const sent = { ...call, messages, parameters: withShortNames(parameters) }
    const reply = await provider.ask(sent, target, attempt)
    return transform(reply, events => ({ events: events.map(event => withOwnName(event, names)) }))
  },
})
