import { z } from 'zod'
import { gatewayToolIsNamed } from './gateway-tools.ts'
import { bySchema, type SentJson, withList } from './in-turns.ts'
import { anyList, anyParts, anyTools, callsOf, partsOf, textList, toolsOf } from './list-limits.ts'
import { type ReadMembers, seeing } from './read-members.ts'
import { FaultList, optional, parseOrThrow } from './zod.ts'

/** What a content part of a known type must hold: a member of that name. */
const PART_MEMBERS = ['text', 'image_url', 'input_audio', 'file', 'refusal'] as const

const word = z.string().min(1, 'must not be empty')

/** What the gateway reads of a part. */
const READ_OF_PARTS: ReadMembers = Object.fromEntries(
  PART_MEMBERS.map(name => [name, [name, 'cache_control']]),
)

const contentPart = seeing(
  z
    .looseObject({
      type: word,
      text: optional(z.string()),
      image_url: optional(z.union([word, z.looseObject({ url: word, detail: optional(z.string()) })])),
      input_audio: optional(z.looseObject({ data: z.string(), format: word })),
      file: optional(
        z.looseObject({
          file_data: optional(z.string()),
          file_id: optional(z.string()),
          filename: optional(z.string()),
        }),
      ),
      refusal: optional(z.string()),
    })
    .check(({ value, issues }) => {
      const member = PART_MEMBERS.find(name => name === value.type)
      if (member && value[member] === undefined)
        issues.push({ code: 'custom', path: [member], message: 'is required', input: value })
    }),
  READ_OF_PARTS,
)

const toolCall = z.looseObject({
  id: word,
  type: optional(z.string()),
  // Mistral takes them as an object too.
  function: optional(
    z.looseObject({ name: word, arguments: z.union([z.string(), z.looseObject({})], 'must be a string') }),
  ),
  custom: optional(z.looseObject({ name: word, input: z.string() })),
})

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const

const messageFields = {
  role: z.enum(ROLES),
  content: optional(z.union([z.string(), partsOf(contentPart)])),
  refusal: optional(z.string()),
  tool_calls: optional(callsOf(toolCall)),
  tool_call_id: optional(word),
  name: optional(z.string()),
  // Vendors' names for the reasoning of an earlier answer: DeepSeek's, and OpenRouter's.
  reasoning_content: optional(z.string()),
  reasoning: optional(z.unknown()),
}

/** OpenAI takes `null` as their content. */
const MAY_SAY_NOTHING: ReadonlySet<string> = new Set(['assistant', 'function'])

type Named = Readonly<{
  role: (typeof ROLES)[number]
  content?: unknown
  tool_call_id?: string | undefined
  name?: string | undefined
}>

const assertComplete = ({ value, issues }: z.core.ParsePayload<Named>): void => {
  const missing = (name: string) =>
    issues.push({ code: 'custom', path: [name], message: 'is required', input: value })
  if (value.role === 'tool' && value.tool_call_id === undefined) missing('tool_call_id')
  if (value.role === 'function' && value.name === undefined) missing('name')
  if (!MAY_SAY_NOTHING.has(value.role) && value.content === undefined) missing('content')
}

const message = z.looseObject(messageFields).check(assertComplete)

const namedFunction = z.looseObject({
  name: word,
  description: optional(z.string()),
  parameters: optional(z.looseObject({})),
  strict: optional(z.boolean()),
})

const tool = z
  .looseObject({
    type: word,
    /** The name of a tool of the gateway's own: `{ type: 'gateway', name: 'weather' }`. */
    name: optional(word),
    function: optional(namedFunction),
    custom: optional(
      z.looseObject({ name: word, description: optional(z.string()), format: optional(z.unknown()) }),
    ),
  })
  .check(gatewayToolIsNamed)

const named = z.looseObject({ name: word })
const chosenTool = z.looseObject({ type: word, function: optional(named), custom: optional(named) })

const toolChoice = z.union(
  [
    // Mistral's word for required is any.
    z.enum(['none', 'auto', 'required', 'any']),
    chosenTool.extend({
      allowed_tools: optional(
        z.looseObject({ mode: z.enum(['auto', 'required']), tools: toolsOf(chosenTool) }),
      ),
    }),
  ],
  'must be none, auto, required, or an object that names a tool',
)

const responseFormat = z.looseObject({
  type: word,
  json_schema: optional(
    z.looseObject({
      name: word,
      description: optional(z.string()),
      schema: optional(z.looseObject({})),
      strict: optional(z.boolean()),
    }),
  ),
})

const count = z.int().min(1, 'must be at least 1')

const bodyFields = {
  model: word,
  messages: z.array(message).min(1, 'must not be empty'),
  stream: optional(z.boolean()),
  stream_options: optional(z.looseObject({ include_usage: optional(z.boolean()) })),
  // Which values a model takes, only its vendor knows: some take more than OpenAI, or -1 for no limit.
  temperature: optional(z.number()),
  top_p: optional(z.number()),
  n: optional(count),
  max_tokens: optional(z.int()),
  max_completion_tokens: optional(z.int()),
  stop: optional(z.union([z.string(), textList])),
  seed: optional(z.number()),
  frequency_penalty: optional(z.number()),
  presence_penalty: optional(z.number()),
  tools: optional(toolsOf(tool)),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  response_format: optional(responseFormat),
  reasoning_effort: optional(z.string()),
  // Open WebUI's form of it.
  reasoning: optional(z.looseObject({ effort: optional(z.string()), max_tokens: optional(z.number()) })),
  service_tier: optional(z.string()),
  user: optional(z.string()),
}

/**
 * The body of `POST /v1/chat/completions`, as far as it concerns the gateway: unknown fields are allowed, since they
 * pass on to an upstream of the same format. Source: OpenAI, "Create chat completion".
 */
export const openAiChatBody = z.looseObject(bodyFields)

export type OpenAiChatBody = z.output<typeof openAiChatBody>

/** The body of `POST /v1/chat/completions` without a look at the elements of its lists. */
const outerBody = z.looseObject({
  ...bodyFields,
  messages: anyList({ least: 1 }),
  tools: optional(anyTools),
})
const outerMessage = z
  .looseObject({
    ...messageFields,
    content: optional(z.union([z.string(), anyParts])),
  })
  .check(assertComplete)

const checkedInTurns = async (value: unknown): Promise<OpenAiChatBody> => {
  const faults = new FaultList()
  const oneMessage = withList(bySchema(outerMessage, faults), 'content', bySchema(contentPart, faults))
  const withMessages = withList(bySchema(outerBody, faults), 'messages', oneMessage)
  const body = await withList(withMessages, 'tools', bySchema(tool, faults))(value, [])
  faults.throwIfAny()
  return body as OpenAiChatBody
}

/**
 * The checked body; a large one is checked between other work.
 * @throws GatewayError INVALID_INPUT that names its faults
 */
export const chatBodyOrThrow = ({ value, isLarge }: SentJson): OpenAiChatBody | Promise<OpenAiChatBody> =>
  isLarge ? checkedInTurns(value) : parseOrThrow(openAiChatBody, value)
