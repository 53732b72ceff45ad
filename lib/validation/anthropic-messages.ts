import { z } from 'zod'
import { gatewayToolIsNamed } from './gateway-tools.ts'
import { bySchema, checkEach, withList } from './in-turns.ts'
import { anyList, anyParts, partsOf, textList, toolsOf } from './list-limits.ts'
import { type ReadMembers, seeing } from './read-members.ts'
import { check, FaultList, optional } from './zod.ts'

const word = z.string().min(1, 'must not be empty')

const NO_CONTENT = 'must be text or a list of content blocks'

const plainSource = z.looseObject({
  type: word,
  media_type: optional(z.string()),
  data: optional(z.string()),
  url: optional(z.string()),
  file_id: optional(z.string()),
})

const source = plainSource.extend({
  content: optional(
    z.union([
      z.string(),
      partsOf(z.looseObject({ type: word, text: optional(z.string()), source: optional(plainSource) })),
    ]),
  ),
})

/** What the gateway reads of a block. */
const READ: ReadMembers = {
  text: ['text', 'cache_control'],
  image: ['source', 'cache_control'],
  document: ['source', 'title', 'context', 'citations', 'cache_control'],
  search_result: ['source', 'title', 'content', 'citations', 'cache_control'],
  tool_reference: ['tool_name'],
  tool_use: ['id', 'name', 'input', 'cache_control'],
  tool_result: ['tool_use_id', 'content', 'is_error', 'cache_control'],
  thinking: ['thinking', 'signature'],
  redacted_thinking: ['data'],
}

/** What a block of a known type must hold. */
const REQUIRED: ReadMembers = {
  text: ['text'],
  image: ['source'],
  document: ['source'],
  tool_use: ['id', 'name'],
  tool_result: ['tool_use_id'],
  thinking: ['thinking'],
}

type Typed = Readonly<{ type: string; [member: string]: unknown }>

const assertComplete = ({ value, issues }: z.core.ParsePayload<Typed>): void => {
  for (const member of Object.hasOwn(REQUIRED, value.type) ? (REQUIRED[value.type] ?? []) : [])
    if (value[member] === undefined)
      issues.push({ code: 'custom', path: [member], message: 'is required', input: value })
}

const MEDIA: ReadonlySet<string> = new Set(['image', 'document'])

/** The source of a search result is text, that of a medium an object. */
const assertSource = ({ value, issues }: z.core.ParsePayload<Typed>): void => {
  if (MEDIA.has(value.type) && typeof value.source === 'string')
    issues.push({ code: 'invalid_type', expected: 'object', path: ['source'], input: value.source })
}

const members = {
  type: word,
  text: optional(z.string()),
  source: optional(z.union([source, z.string()], 'must be an object')),
  title: optional(z.string()),
  tool_name: optional(z.string()),
}

const resultBlock = seeing(
  z
    .looseObject({ ...members, content: optional(z.unknown()) })
    .check(assertComplete)
    .check(assertSource),
  READ,
)

/** What a tool gave back, or a search has found: text, or blocks. */
const resultContent = optional(z.union([z.string(), partsOf(resultBlock)], NO_CONTENT))

const block = seeing(
  z
    .looseObject({
      ...members,
      id: optional(word),
      name: optional(word),
      input: optional(z.unknown()),
      tool_use_id: optional(word),
      is_error: optional(z.boolean()),
      content: resultContent,
      thinking: optional(z.string()),
      signature: optional(z.string()),
      data: optional(z.string()),
    })
    .check(assertComplete)
    .check(assertSource),
  READ,
)

const role = z.enum(['user', 'assistant', 'system'])
const message = z.looseObject({
  role,
  content: z.union([z.string(), partsOf(block)], NO_CONTENT),
})
/** A message without a look at its blocks. */
const outerMessage = z.looseObject({
  role,
  content: z.union([z.string(), anyParts], NO_CONTENT),
})

const tool = z
  .looseObject({
    name: optional(word),
    type: optional(z.string()),
    description: optional(z.string()),
    input_schema: optional(z.looseObject({})),
    strict: optional(z.boolean()),
  })
  .check(gatewayToolIsNamed)

const toolChoice = z.looseObject({
  type: z.enum(['auto', 'any', 'tool', 'none']),
  name: optional(word),
  disable_parallel_tool_use: optional(z.boolean()),
})

const jsonFormat = z.looseObject({ type: word, schema: optional(z.looseObject({})) })

/**
 * The body of `POST /v1/messages/count_tokens`, as far as it concerns the gateway: unknown fields are allowed, since
 * they pass on to an upstream of the same format. Source: Anthropic, "Count tokens in a Message".
 */
export const anthropicCountBody = z.looseObject({
  model: word,
  messages: z.array(message).min(1, 'must not be empty'),
  system: optional(
    z.union(
      [z.string(), partsOf(z.looseObject({ type: word, text: optional(z.string()) }))],
      'must be text or a list of text blocks',
    ),
  ),
  tools: optional(toolsOf(tool)),
  tool_choice: optional(toolChoice),
  thinking: optional(z.looseObject({ type: word, budget_tokens: optional(z.number()) })),
  output_config: optional(z.looseObject({ effort: optional(z.string()), format: optional(jsonFormat) })),
  output_format: optional(jsonFormat),
})

/** The body of `POST /v1/messages`, by the same rule. Source: Anthropic, "Create a Message". */
export const anthropicMessagesBody = anthropicCountBody.extend({
  max_tokens: z.int().min(0, 'must not be negative'),
  stream: optional(z.boolean()),
  temperature: optional(z.number().min(0, 'must be from 0 to 1').max(1, 'must be from 0 to 1')),
  top_p: optional(z.number()),
  top_k: optional(z.number()),
  stop_sequences: optional(textList),
  metadata: optional(z.looseObject({ user_id: optional(z.string()) })),
  service_tier: optional(z.string()),
})

export type AnthropicCountBody = z.output<typeof anthropicCountBody>
export type AnthropicMessagesBody = z.output<typeof anthropicMessagesBody>

type BodyMessage = z.output<typeof message>

const sentMessages = (value: unknown): readonly unknown[] => {
  const messages = typeof value === 'object' && value !== null && 'messages' in value ? value.messages : []
  return Array.isArray(messages) ? messages : []
}

const outerMessages = anyList({ least: 1 })
const outerCountBody = anthropicCountBody.extend({ messages: outerMessages })
const outerMessagesBody = anthropicMessagesBody.extend({ messages: outerMessages })

const checkedBody = async <T extends object>(schema: z.ZodType<T>, value: unknown) => {
  const faults = new FaultList()
  const outer = check(schema, value)
  if (outer.faults) faults.add(...outer.faults)
  const oneMessage = withList(bySchema(outerMessage, faults), 'content', bySchema(block, faults))
  const messages = await checkEach(sentMessages(value), ['messages'], oneMessage)
  faults.throwIfAny()
  return { ...(outer.data as T), messages: messages as BodyMessage[] }
}

/**
 * The body of `POST /v1/messages/count_tokens`, checked message by message between other work.
 * @throws GatewayError INVALID_INPUT that names every fault
 */
export const countBodyOrThrow = (value: unknown): Promise<AnthropicCountBody> =>
  checkedBody(outerCountBody, value)

/** The body of `POST /v1/messages`, checked as `countBodyOrThrow` does. @throws GatewayError INVALID_INPUT */
export const messagesBodyOrThrow = (value: unknown): Promise<AnthropicMessagesBody> =>
  checkedBody(outerMessagesBody, value)
