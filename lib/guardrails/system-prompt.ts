import type { Policy } from '../compose.ts'
import { GatewayError } from '../errors.ts'
import { transform } from '../llm/events.ts'
import { textOf } from '../llm/message.ts'
import type { Call, RawRequest, Reply, ReplyEvent, WireFormat } from '../llm/types.ts'
import { memberIn, membersOf, objectOf } from '../raw-json.ts'
import { withInstruction } from './raw-body.ts'

/** The texts of a call that say how its model is to behave. */
export const systemPromptsOf = ({ messages }: Pick<Call, 'messages'>): readonly string[] =>
  messages.flatMap(({ role, content }) =>
    role === 'system' || role === 'developer' ? [textOf(content)] : [],
  )

/** Members that hold what a model reads first. Servers that ignore case would take `Messages` in their place. */
const READ_FIRST: Readonly<Record<WireFormat, ReadonlySet<string>>> = {
  'openai-chat': new Set(['messages']),
  'anthropic-messages': new Set(['system', 'messages']),
  'openai-responses': new Set(['instructions', 'input']),
}

/** Members by which vendors let a client put text before the messages, or leave the first of them out. */
const REPLACING: Readonly<Record<WireFormat, ReadonlySet<string>>> = {
  // OpenRouter; vLLM.
  'openai-chat': new Set(['prompt', 'prompt_id', 'preset', 'chat_template', 'truncate_prompt_tokens']),
  'anthropic-messages': new Set(),
  // A template that is stored at OpenAI.
  'openai-responses': new Set(['prompt']),
}

/** A name as servers compare it that ignore case, also that of Unicode (`meſſages`). */
const folded = (name: string): string => name.normalize('NFKC').toLowerCase()

const refused = (path: string): GatewayError => {
  const message = 'cannot be used here: this gateway puts its own system prompt first'
  return new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })
}

const assertNotReplaced = ({ format, members }: RawRequest): void => {
  for (const [name, value] of members) {
    const plain = folded(name)
    const isLookalike = READ_FIRST[format].has(plain) && plain !== name
    if (isLookalike || (REPLACING[format].has(plain) && value !== 'null')) throw refused(name)
  }
}

/**
 * A call with the operator's system prompt before everything that the client says, in every format: its own
 * instructions, of whatever role, come after it. Endpoints that take no text of a conversation pass unchanged.
 *
 * @throws GatewayError INVALID_INPUT for a request that could put something before it or leave it out, FORBIDDEN for one
 * to `/v1/completions`, which has no system prompt
 */
export const requireSystemPrompt = (call: Call, text: string): Call => {
  const { passthrough, raw } = call
  if (passthrough?.endpoint === 'completions')
    throw new GatewayError(
      'FORBIDDEN',
      'This gateway requires its own system prompt, which completions do not have: use chat completions.',
    )
  if (passthrough) return call
  if (raw) assertNotReplaced(raw)
  return {
    ...call,
    messages: [{ role: 'system', content: text }, ...call.messages],
    ...(raw && { raw: withInstruction(raw, text) }),
  }
}

const INSTRUCTIONS = 'instructions'

/** JSON of a response, or of an event that holds one, with other instructions. */
const withInstructions = (json: string, instructions: string): string => {
  if (!json.includes(`"${INSTRUCTIONS}"`)) return json
  return objectOf(
    membersOf(json).map(([name, value]) => {
      if (name === INSTRUCTIONS) return [name, instructions]
      const isResponse = name === 'response' && value.startsWith('{')
      return [name, isResponse ? withInstructions(value, instructions) : value]
    }),
  )
}

const isOfResponses = (event: ReplyEvent): event is Extract<ReplyEvent, { type: 'wire' }> =>
  event.type === 'wire' && event.format === 'openai-responses'

/**
 * A reply without the operator's system prompt: OpenAI's Responses repeat the instructions of their request, in place of
 * which the client gets its own.
 *
 * @param asked the call as the client made it
 */
const hideSystemPrompt = (reply: Reply, { raw }: Call): Reply => {
  if (raw?.format !== 'openai-responses') return reply
  const own = memberIn(raw.members, INSTRUCTIONS) ?? 'null'
  return transform(reply, events => ({
    events: events.map(event =>
      isOfResponses(event) ? { ...event, json: withInstructions(event.json, own) } : event,
    ),
  }))
}

export type SystemPromptDeps = Readonly<{
  /** The operator's system prompt for a call; undefined where it has none. */
  promptOf: (call: Call) => string | undefined
}>

/** Puts the operator's system prompt first, and keeps it out of the answer. Stands above the cache, which compares it. */
export const systemPrompt = ({ promptOf }: SystemPromptDeps): Policy<Call, Reply> =>
  async function systemPrompt(call, next) {
    const text = promptOf(call)
    if (text === undefined) return await next(call)
    return hideSystemPrompt(await next(requireSystemPrompt(call, text)), call)
  }
