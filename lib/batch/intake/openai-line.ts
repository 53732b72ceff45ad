import { z } from 'zod'
import type { Issue } from '../../errors.ts'
import { isObject } from '../../raw-json.ts'
import { idText } from '../../validation/batch.ts'
import { invalidInput, optional, parseOrThrow } from '../../validation/zod.ts'

type Fields = Readonly<Record<string, unknown>>

/** OpenAI's own address, and Azure's. */
const URLS = ['/v1/chat/completions', '/chat/completions'] as const

/**
 * Unsupported parameters, and the values at which they have no effect: the first one is OpenAI's default
 * (platform.openai.com/docs/api-reference/chat/create). Null and empty values have no effect either.
 */
const DEFAULTS: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  top_p: [1],
  stream: [false],
  stream_options: [],
  presence_penalty: [0],
  frequency_penalty: [0],
  logprobs: [false],
  top_logprobs: [0],
  logit_bias: [],
  stop: [],
  response_format: [{ type: 'text' }],
  tools: [],
  tool_choice: ['none', 'auto'],
  parallel_tool_calls: [true, false],
  functions: [],
  function_call: ['none', 'auto'],
  modalities: [['text']],
  audio: [],
  prediction: [],
  reasoning_effort: ['medium'],
  verbosity: ['medium'],
  web_search_options: [],
}
/** Unsupported parameters that do not change the answer's content. */
const IGNORED: ReadonlySet<string> = new Set(['seed', 'store', 'metadata', 'service_tier'])
/** Parameters that only identify the caller. */
const NAMES: ReadonlySet<string> = new Set([
  'user',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_retention',
])
const MESSAGE_DEFAULTS: ReadonlySet<string> = new Set([
  'name',
  'refusal',
  'audio',
  'annotations',
  'tool_calls',
  'function_call',
])
const MOST_MESSAGES = 1_000

const openAiLine = z.strictObject({
  custom_id: idText,
  method: z.literal('POST'),
  url: z.enum(URLS),
  body: z
    .strictObject({
      model: z.string(),
      messages: z.array(z.unknown()),
      temperature: optional(z.number()),
      max_tokens: optional(z.int()),
      max_completion_tokens: optional(z.int()),
    })
    .refine(body => body.max_tokens === undefined || body.max_completion_tokens === undefined, {
      path: ['max_tokens'],
      error: 'or max_completion_tokens: send at most one of them',
    }),
})

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)

const changesNothing = (value: unknown, defaults: readonly unknown[]): boolean =>
  isEmpty(value) || defaults.some(one => JSON.stringify(one) === JSON.stringify(value))

const refused = (path: string, [first]: readonly unknown[]): Issue => ({
  path,
  message: `cannot be passed on: leave it out${first === undefined ? '' : `, or send ${JSON.stringify(first)}`}`,
})

/**
 * The body without parameters that have no effect; adds the unsupported ones to `faults` and the ignored ones to
 * `ignored`.
 */
const askedBody = (body: Fields, faults: Issue[], ignored: string[]): Fields => {
  const left: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(body)) {
    const defaults = Object.hasOwn(DEFAULTS, name) ? DEFAULTS[name] : undefined
    if (defaults) {
      if (!changesNothing(value, defaults)) faults.push(refused(`body.${name}`, defaults))
    } else if (IGNORED.has(name)) {
      if (!isEmpty(value) && value !== false) ignored.push(name)
    } else if (!NAMES.has(name)) left[name] = value
  }
  return left
}

/** The text of a content of parts; undefined where one of them is no text. */
const textOfParts = (parts: readonly unknown[], path: string, faults: Issue[]): string => {
  const texts = parts.map((part, index) => {
    if (isObject(part) && part.type === 'text' && typeof part.text === 'string') return part.text
    const type = isObject(part) && typeof part.type === 'string' ? `, is ${part.type.slice(0, 40)}` : ''
    faults.push({ path: `${path}[${index}]`, message: `must be a part of type text${type}` })
    return ''
  })
  return texts.join('\n')
}

const messageOf = (message: unknown, path: string, faults: Issue[]): unknown => {
  if (!isObject(message)) return message
  const left: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(message)) {
    if (name === 'role' && value === 'developer') left.role = 'system'
    else if (name === 'content' && Array.isArray(value))
      left.content = textOfParts(value, `${path}.content`, faults)
    else if (!MESSAGE_DEFAULTS.has(name)) left[name] = value
    else if (!isEmpty(value)) faults.push(refused(`${path}.${name}`, []))
  }
  return left
}

/** One line of OpenAI's batch files, as fields of an item. */
export type OpenAiDraft = Readonly<{ fields: Fields; ignored: readonly string[] }>

/**
 * OpenAI's batch line (platform.openai.com/docs/guides/batch) as an item. Parameters at their default and null are taken,
 * text parts are joined by line breaks, and `developer` is `system`. `ignored` lists parameters that were dropped.
 * @throws GatewayError INVALID_INPUT that names every unsupported parameter that would change the answer
 */
export const draftOfOpenAi = (line: Fields): OpenAiDraft => {
  const faults: Issue[] = []
  const ignored: string[] = []
  if (!isObject(line.body)) throw invalidInput([{ path: 'the field body', message: 'must be an object' }])
  const asked = askedBody(line.body, faults, ignored)
  const { custom_id: id, body } = parseOrThrow(openAiLine, { ...line, body: asked })
  if (body.messages.length > MOST_MESSAGES)
    throw invalidInput([{ path: 'body.messages', message: `must hold at most ${MOST_MESSAGES} messages` }])
  const messages = body.messages.map((message, at) => messageOf(message, `body.messages[${at}]`, faults))
  if (faults.length > 0) throw invalidInput(faults)
  const { model, temperature } = body
  const maxTokens = body.max_completion_tokens ?? body.max_tokens
  const settings = {
    ...(temperature !== undefined && { temperature }),
    ...(maxTokens !== undefined && { maxTokens }),
  }
  return { fields: { id, model, messages, ...settings }, ignored }
}
