import { z } from 'zod'
import { isObject } from '../raw-json.ts'
import { GATEWAY_TOOL, gatewayToolIsNamed } from './gateway-tools.ts'
import { bySchema, type SentJson, withList } from './in-turns.ts'
import { anyList, anyParts, anyTools, partsOf, textList, toolsOf } from './list-limits.ts'
import { type ReadMembers, seeing } from './read-members.ts'
import { FaultList, optional, parseOrThrow, withDefault } from './zod.ts'

const word = z.string().min(1, 'must not be empty')

/** What the gateway reads of a part. */
const READ_OF_PARTS: ReadMembers = {
  input_text: ['text'],
  output_text: ['text'],
  text: ['text'],
  summary_text: ['text'],
  reasoning_text: ['text'],
  refusal: ['refusal'],
  input_image: ['image_url', 'detail'],
  input_file: ['file_id', 'file_data', 'file_url', 'filename'],
  input_audio: ['input_audio'],
}

const contentPart = seeing(
  z
    .looseObject({
      type: word,
      text: optional(z.string()),
      refusal: optional(z.string()),
      image_url: optional(z.string()),
      detail: optional(z.string()),
      file_id: optional(z.string()),
      file_data: optional(z.string()),
      file_url: optional(z.string()),
      filename: optional(z.string()),
      input_audio: optional(z.looseObject({ data: z.string(), format: word })),
    })
    .check(({ value, issues }) => {
      const isText = value.type === 'input_text' || value.type === 'output_text'
      if (isText && value.text === undefined)
        issues.push({ code: 'custom', path: ['text'], message: 'is required', input: value })
    }),
  READ_OF_PARTS,
)

const content = z.union([z.string(), partsOf(contentPart)], 'must be a string or an array of parts')

const ROLES = ['user', 'assistant', 'system', 'developer'] as const

const MESSAGE = 'message'
const REFERENCE = 'item_reference'

/** What the gateway reads of an item. */
const READ: ReadMembers = {
  message: ['role', 'content'],
  reasoning: ['id', 'summary', 'content', 'encrypted_content'],
  function_call: ['call_id', 'name', 'arguments'],
  function_call_output: ['call_id', 'output'],
  custom_tool_call: ['call_id', 'name', 'input'],
  custom_tool_call_output: ['call_id', 'output'],
  item_reference: ['id'],
}

/** The members that an item of a known type must have. */
const REQUIRED: ReadMembers = {
  message: ['role', 'content'],
  function_call: ['call_id', 'name', 'arguments'],
  function_call_output: ['call_id', 'output'],
  custom_tool_call: ['call_id', 'name', 'input'],
  custom_tool_call_output: ['call_id', 'output'],
  item_reference: ['id'],
}

const itemFields = {
  type: optional(z.string()),
  id: optional(z.string()),
  role: optional(z.enum(ROLES)),
  content: optional(content),
  call_id: optional(word),
  name: optional(word),
  arguments: optional(z.string()),
  input: optional(z.string()),
  output: optional(z.unknown()),
  summary: optional(partsOf(z.looseObject({ text: optional(z.string()) }))),
  encrypted_content: optional(z.string()),
}

type Typed = Readonly<{ type?: string | undefined; [member: string]: unknown }>

const assertComplete = ({ value, issues }: z.core.ParsePayload<Typed>): void => {
  const type = value.type ?? MESSAGE
  // Clients choose the name, and every object has a `constructor`.
  for (const name of Object.hasOwn(REQUIRED, type) ? (REQUIRED[type] ?? []) : [])
    if (value[name] === undefined)
      issues.push({ code: 'custom', path: [name], message: 'is required', input: value })
}

/** An item of an `id` alone is a reference, which need not name its type. Source: OpenAI, "Create a model response". */
const withType = (value: unknown): unknown => {
  if (!isObject(value) || typeof value.id !== 'string') return value
  const hasOther = [value.type, value.role, value.content].some(one => one !== undefined && one !== null)
  return hasOther ? value : { ...value, type: REFERENCE }
}

export const openAiInputItem = seeing(z.looseObject(itemFields).check(assertComplete), READ, MESSAGE)
const sentItem = z.preprocess(withType, openAiInputItem)

/** What the gateway reads of a tool. */
const READ_OF_TOOLS: ReadMembers = {
  function: ['name', 'description', 'parameters', 'strict'],
  custom: ['name', 'description', 'format'],
  [GATEWAY_TOOL]: ['name'],
}

const tool = seeing(
  z
    .looseObject({
      type: word,
      name: optional(word),
      description: optional(z.string()),
      parameters: optional(z.looseObject({})),
      strict: optional(z.boolean()),
      format: optional(z.looseObject({ type: word })),
    })
    .check(({ value, issues }) => {
      if ((value.type === 'function' || value.type === 'custom') && value.name === undefined)
        issues.push({ code: 'custom', path: ['name'], message: 'is required', input: value })
    })
    .check(gatewayToolIsNamed),
  READ_OF_TOOLS,
)

const toolChoice = z.union(
  [
    z.enum(['none', 'auto', 'required']),
    z.looseObject({
      type: word,
      name: optional(word),
      mode: optional(z.enum(['auto', 'required'])),
      tools: optional(toolsOf(z.looseObject({ name: optional(word) }))),
    }),
  ],
  'must be none, auto, required, or an object that names a tool',
)

const textFormat = z
  .looseObject({
    type: word,
    name: optional(word),
    description: optional(z.string()),
    schema: optional(z.looseObject({})),
    strict: optional(z.boolean()),
  })
  .check(({ value, issues }) => {
    if (value.type === 'json_schema' && value.name === undefined)
      issues.push({ code: 'custom', path: ['name'], message: 'is required', input: value })
  })

const bodyFields = {
  model: word,
  input: optional(z.union([z.string(), z.array(sentItem)], 'must be a string or an array of items')),
  instructions: optional(z.union([z.string(), z.array(openAiInputItem)])),
  stream: optional(z.boolean()),
  store: optional(z.boolean()),
  background: optional(z.boolean()),
  previous_response_id: optional(word),
  conversation: optional(z.unknown()),
  prompt: optional(z.unknown()),
  temperature: optional(z.number().min(0, 'must be from 0 to 2').max(2, 'must be from 0 to 2')),
  top_p: optional(z.number()),
  max_output_tokens: optional(z.int().min(1, 'must be at least 1')),
  tools: optional(toolsOf(tool)),
  tool_choice: optional(toolChoice),
  parallel_tool_calls: optional(z.boolean()),
  text: optional(z.looseObject({ format: optional(textFormat), verbosity: optional(z.string()) })),
  reasoning: optional(z.looseObject({ effort: optional(z.string()), summary: optional(z.string()) })),
  include: optional(textList),
  metadata: optional(z.record(z.string(), z.string())),
  truncation: optional(z.string()),
  service_tier: optional(z.string()),
  user: optional(z.string()),
  safety_identifier: optional(z.string()),
}

type Asking = Readonly<{
  input?: string | readonly unknown[] | undefined
  previous_response_id?: string | undefined
  conversation?: unknown
  prompt?: unknown
}>

const assertAsks = ({ value, issues }: z.core.ParsePayload<Asking>): void => {
  const { input = [], previous_response_id: previous, conversation, prompt } = value
  const asksNothing = input.length === 0 && [previous, conversation, prompt].every(one => one === undefined)
  if (asksNothing)
    issues.push({ code: 'custom', path: ['input'], message: 'must not be empty', input: value.input })
}

/**
 * The body of `POST /v1/responses`, as far as it concerns the gateway: unknown fields are allowed, since they pass on to
 * an upstream of the same format. Source: OpenAI, "Create a model response".
 */
export const openAiResponsesBody = z.looseObject(bodyFields).check(assertAsks)

export type OpenAiResponsesBody = z.output<typeof openAiResponsesBody>
export type OpenAiInputItem = z.output<typeof openAiInputItem>

const list = anyList()
/** The body of `POST /v1/responses` without a look at the elements of its lists. */
const outerBody = z
  .looseObject({
    ...bodyFields,
    input: optional(z.union([z.string(), list], 'must be a string or an array of items')),
    instructions: optional(z.union([z.string(), list])),
    tools: optional(anyTools),
  })
  .check(assertAsks)
const outerItem = seeing(
  z
    .looseObject({
      ...itemFields,
      content: optional(z.union([z.string(), anyParts], 'must be a string or an array of parts')),
    })
    .check(assertComplete),
  READ,
  MESSAGE,
)

const checkedInTurns = async (value: unknown): Promise<OpenAiResponsesBody> => {
  const faults = new FaultList()
  const item = withList(bySchema(outerItem, faults), 'content', bySchema(contentPart, faults))
  const withInput = withList(bySchema(outerBody, faults), 'input', (one, at) => item(withType(one), at))
  const withInstructions = withList(withInput, 'instructions', item)
  const body = await withList(withInstructions, 'tools', bySchema(tool, faults))(value, [])
  faults.throwIfAny()
  return body as OpenAiResponsesBody
}

/**
 * The checked body; a large one is checked between other work.
 * @throws GatewayError INVALID_INPUT that names its faults
 */
export const responsesBodyOrThrow = ({
  value,
  isLarge,
}: SentJson): OpenAiResponsesBody | Promise<OpenAiResponsesBody> =>
  isLarge ? checkedInTurns(value) : parseOrThrow(openAiResponsesBody, value)

const MOST_LISTED = 100
const USUALLY_LISTED = 20

/** The query of `GET /v1/responses/{id}/input_items`; other names are passed over. */
export const inputItemsQuery = z.object({
  limit: withDefault(z.coerce.number().int().min(1).max(MOST_LISTED), USUALLY_LISTED),
  order: withDefault(z.enum(['asc', 'desc']), 'desc'),
  after: optional(z.string()),
})

export type InputItemsQuery = z.output<typeof inputItemsQuery>
