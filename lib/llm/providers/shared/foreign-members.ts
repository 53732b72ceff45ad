import type { Call, RawRequest, WireFormat } from '../../types.ts'

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
  'openai-responses': { 'reasoning.effort': 'reasoning_effort', 'text.format': 'response_format' },
}

const withoutCounterpart = ({ members }: RawRequest, known: Readonly<Record<string, string>>): string[] =>
  members.flatMap(([name, value]) => (value === 'null' || Object.hasOwn(known, name) ? [] : name))

/** Parts of a client's request in another format that a translation leaves out: members, and tools of its own. */
export const untranslatedIn = ({ raw, parameters }: Call): readonly string[] => {
  if (raw?.untranslated) return raw.untranslated
  const known = raw && COUNTERPARTS[raw.format]
  if (!known) return []
  const tools = parameters?.tools?.filter(({ definedBy }) => definedBy !== undefined) ?? []
  return [...withoutCounterpart(raw, known), ...tools.map(({ name }) => `tools.${name}`)]
}

/** The name by which a call's client knows a parameter of chat completions. */
export const clientsName = ({ raw }: Call, name: string): string => {
  const known = Object.entries((raw && COUNTERPARTS[raw.format]) ?? {})
  const names = known.filter(([, theirs]) => theirs === name).map(([own]) => own)
  const isSent = (own: string) => raw?.members.some(([sent]) => sent === own.split('.', 1)[0])
  return names.find(isSent) ?? names[0] ?? name
}
