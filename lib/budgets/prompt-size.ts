import type { ContentPart, Message, Tool } from '../llm/message.ts'
import type { PassthroughRequest } from '../llm/passthrough.ts'
import type { Call } from '../llm/types.ts'

/** What vendors add around a call and each of its messages and tools, with room. */
const TOKENS_OF_CALL = 32
const TOKENS_OF_MESSAGE = 8
const TOKENS_OF_TOOL = 64
/** Tools alone bring instructions of the vendor's own with them. Source: Anthropic, "Tool use": up to 530 tokens. */
const TOKENS_OF_TOOLS = 600
/** The most that an image is counted as by usual models (OpenAI: 6,240; Anthropic: 4,784), with room. */
const TOKENS_OF_IMAGE = 8_000
/** Of a document or a recording whose length is unknown, and what its base64 text may stand for. */
const TOKENS_OF_FILE = 20_000
const CHARACTERS_PER_FILE_TOKEN = 20

const lengthOfMedia = (part: ContentPart): number => {
  if (part.type === 'audio') return part.base64.length
  return part.type === 'image' || part.type === 'file' ? (part.url?.length ?? 0) : 0
}

const tokensOfPart = (part: ContentPart): number => {
  if (part.type === 'text') return 0
  if (part.type === 'image') return TOKENS_OF_IMAGE
  return Math.max(TOKENS_OF_FILE, Math.ceil(lengthOfMedia(part) / CHARACTERS_PER_FILE_TOKEN))
}

const partsOf = ({ messages }: Call): readonly ContentPart[] =>
  messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))

function* textsOfMessage(message: Message): Generator<string> {
  const { content } = message
  if (typeof content === 'string') yield content
  else for (const part of content) if (part.type === 'text') yield part.text
  if (message.role !== 'assistant') return
  for (const call of message.toolCalls ?? []) yield `${call.name} ${call.arguments}`
  for (const { text } of message.reasoning ?? []) yield text
}

const textOfTool = (tool: Tool): string => JSON.stringify(tool)

function* textsOfCall({ messages, parameters = {} }: Call): Generator<string> {
  for (const message of messages) yield* textsOfMessage(message)
  for (const tool of parameters.tools ?? []) yield textOfTool(tool)
  if (parameters.responseFormat) yield JSON.stringify(parameters.responseFormat)
}

const writtenIn = ({ body }: PassthroughRequest): Iterable<string> =>
  body.kind === 'json'
    ? body.members.map(([, value]) => value)
    : body.parts.flatMap(part => ('value' in part ? [part.value] : []))

/** Every text of a call that a model may read. A body that passes on as it came may hold some that no message has. */
export function* promptTexts(call: Call): Generator<string> {
  if (call.passthrough) return yield* writtenIn(call.passthrough)
  if (call.raw && partsOf(call).every(({ type }) => type === 'text') && !call.raw.resolved)
    yield call.raw.json
  else yield* textsOfCall(call)
}

/** Tokens of a call besides those of its texts: of media, and of what the vendor adds. */
export const tokensBesideTexts = (call: Call): number => {
  const tools = call.parameters?.tools?.length ?? 0
  return (
    TOKENS_OF_CALL +
    call.messages.length * TOKENS_OF_MESSAGE +
    tools * TOKENS_OF_TOOL +
    (tools > 0 ? TOKENS_OF_TOOLS : 0) +
    partsOf(call).reduce((tokens, part) => tokens + tokensOfPart(part), 0)
  )
}

/** UTF-8 bytes of all texts: no vendor's tokenizer makes more tokens than that. */
export const promptBytes = (call: Call): number => {
  let bytes = 0
  for (const text of promptTexts(call)) bytes += Buffer.byteLength(text)
  return bytes
}
