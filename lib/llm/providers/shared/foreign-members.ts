import type { Call, WireFormat } from '../../types.ts'

/** The members of another format's requests that chat completions have too, and their names there where they differ. */
const COUNTERPARTS: Readonly<Partial<Record<WireFormat, Readonly<Record<string, string>>>>> = {
  'anthropic-messages': {
    model: 'model',
    messages: 'messages',
    system: 'messages',
    stream: 'stream',
    max_tokens: 'max_tokens',
    temperature: 'temperature',
    top_p: 'top_p',
    stop_sequences: 'stop',
    tools: 'tools',
    tool_choice: 'parallel_tool_calls',
    thinking: 'reasoning_effort',
    output_config: 'reasoning_effort',
    output_format: 'response_format',
    metadata: 'user',
    service_tier: 'service_tier',
  },
}

/** Parts of a client's request in another format that chat completions cannot say: members, and tools of its own. */
export const foreignMembers = ({ raw, parameters }: Call): readonly string[] => {
  const known = raw && COUNTERPARTS[raw.format]
  if (!known) return []
  const tools = parameters?.tools?.filter(({ definedBy }) => definedBy !== undefined) ?? []
  return [
    ...raw.members.flatMap(([name, value]) => (value === 'null' || Object.hasOwn(known, name) ? [] : name)),
    ...tools.map(({ name }) => `tools.${name}`),
  ]
}

/** The client's own name of a parameter of chat completions. */
export const ownName = ({ raw }: Call, name: string): string => {
  if (!raw) return name
  const counterparts = Object.entries(COUNTERPARTS[raw.format] ?? {})
  return (
    counterparts.find(
      ([own, theirs]) => theirs === name && raw.members.some(([sent]) => sent === own),
    )?.[0] ?? name
  )
}
