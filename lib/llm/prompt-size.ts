import { memberIn } from '../raw-json.ts'
import type { ContentPart, Message, Tool } from './message.ts'
import type { PassthroughRequest } from './passthrough.ts'
import type { Call, RawRequest } from './types.ts'

/** What vendors add around a call and each of its messages and tools, with room. */
const TOKENS_OF_CALL = 32
const TOKENS_OF_MESSAGE = 8
const TOKENS_OF_TOOL = 64
/** Tools alone bring instructions of the vendor's own with them. Source: Anthropic, "Tool use": up to 530 tokens. */
const TOKENS_OF_TOOLS = 600
/** The most that an image is counted as by usual models (OpenAI: 6,240; Anthropic: 4,784), with room. */
const TOKENS_OF_IMAGE = 8_000
/** The least that a document or a recording is counted as. */
const TOKENS_OF_FILE = 20_000
/** Fewest characters of base64 per token. A document's text is compressed in it, its pages count as images too. */
const CHARACTERS_PER_TOKEN = { audio: 20, file: 1 } as const
/** Types of parts that stand for something elsewhere, of any size. */
const ELSEWHERE = /video|file|document|upload|audio/
const MOST_MISSES = 8

const tokensOfOther = (type: string): number => {
  if (type.includes('image')) return TOKENS_OF_IMAGE
  return ELSEWHERE.test(type) ? Number.POSITIVE_INFINITY : TOKENS_OF_FILE
}

/** The most tokens of a part; infinite where its size is not known here. */
const tokensOfPart = (part: ContentPart): number => {
  if (part.type === 'text') return 0
  if (part.type === 'image') return TOKENS_OF_IMAGE
  if (part.type === 'other') return tokensOfOther(part.name)
  const data = dataOf(part)
  if (data === '') return Number.POSITIVE_INFINITY
  return Math.max(TOKENS_OF_FILE, Math.ceil(data.length / CHARACTERS_PER_TOKEN[part.type]))
}

/** Members of a body, and types of its items, that stand for texts which the vendor alone has. */
const REFERENCES = ['previous_response_id', 'prompt', 'conversation'] as const
const ITEM_REFERENCE = /"item_reference"/

/** Whether the vendor adds texts to a call that the gateway does not know. */
const refersToMore = ({ raw }: Call): boolean => {
  if (raw?.format !== 'openai-responses') return false
  const members = raw.resolved?.members ?? raw.members
  return (
    (raw.refersToItems === true && !raw.resolved) ||
    REFERENCES.some(name => (memberIn(members, name) ?? 'null') !== 'null') ||
    members.some(([name, value]) => name === 'input' && ITEM_REFERENCE.test(value))
  )
}

const partsOf = ({ messages }: Call): readonly ContentPart[] =>
  messages.flatMap(({ content }) => (typeof content === 'string' ? [] : content))

function* textsOfMessage(message: Message): Generator<string> {
  const { content } = message
  if (typeof content === 'string') yield content
  else for (const part of content) if (part.type === 'text') yield part.text
  if (message.role !== 'assistant') return
  for (const call of message.toolCalls ?? []) yield `${call.name} ${call.arguments}`
  for (const { text, redacted = text } of message.reasoning ?? []) yield redacted
}

const textOfTool = (tool: Tool): string => JSON.stringify(tool.written ?? tool)

function* textsOfCall({ messages, parameters = {} }: Call): Generator<string> {
  for (const message of messages) yield* textsOfMessage(message)
  for (const tool of parameters.tools ?? []) yield textOfTool(tool)
  if (parameters.responseFormat) yield JSON.stringify(parameters.responseFormat)
}

const writtenIn = ({ body }: PassthroughRequest): Iterable<string> =>
  body.kind === 'json'
    ? body.members.map(([, value]) => value)
    : body.parts.flatMap(part => ('value' in part ? [part.value] : []))

/** A medium as a body holds it, in base64; empty where it has its address alone. */
const dataOf = (part: ContentPart): string => {
  if (part.type === 'audio') return part.base64
  const url = part.type === 'image' || part.type === 'file' ? (part.url ?? '') : ''
  return url.startsWith('http') ? '' : url.slice(url.indexOf(',') + 1)
}

/** Base64 as it is written in JSON: some clients escape every slash. */
const written = (data: string, isEscaped: boolean): string => (isEscaped ? data.replaceAll('/', '\\/') : data)

/** Finds media in a JSON text in their order. */
class MediaFinder {
  readonly #json: string
  #at = 0
  #misses = 0
  #isEscaped = false

  constructor(json: string) {
    this.#json = json
  }

  /** The text after the media that have been found. */
  get rest(): string {
    return this.#json.slice(this.#at)
  }

  /** The text before some data; undefined where it is not found, or after many that were not: each is a search to the end. */
  before(data: string): string | undefined {
    if (this.#misses >= MOST_MISSES) return undefined
    return this.#upTo(written(data, this.#isEscaped)) ?? this.#inOtherForm(data)
  }

  #inOtherForm(data: string): string | undefined {
    this.#isEscaped = !this.#isEscaped
    return this.#upTo(written(data, this.#isEscaped))
  }

  #upTo(data: string): string | undefined {
    const from = this.#json.indexOf(data, this.#at)
    if (from === -1) {
      this.#misses += 1
      return undefined
    }
    const text = this.#json.slice(this.#at, from)
    this.#at = from + data.length
    return text
  }
}

/** A JSON text without the media in it. One that is not found stays a text. */
function* withoutMedia(json: string, media: readonly string[]): Generator<string> {
  const finder = new MediaFinder(json)
  for (const data of media) {
    const text = finder.before(data)
    if (text) yield text
  }
  yield finder.rest
}

const jsonOf = ({ json, resolved }: RawRequest): readonly string[] =>
  resolved ? resolved.members.map(([, value]) => value) : [json]

/** Every text of a call that a model may read. A body that passes on as it came may hold some that no message has. */
export function* promptTexts(call: Call): Generator<string> {
  if (call.passthrough) return yield* writtenIn(call.passthrough)
  if (!call.raw) return yield* textsOfCall(call)
  const media = partsOf(call).flatMap(part => dataOf(part) || [])
  for (const json of jsonOf(call.raw)) yield* withoutMedia(json, media)
}

/**
 * Tokens of a call besides those of its texts: of media, and of what the vendor adds; infinite where the size of
 * something is not known here.
 */
export const tokensBesideTexts = (call: Call): number => {
  if (refersToMore(call)) return Number.POSITIVE_INFINITY
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

/** What media are usually counted as, by common models; documents by the page, and recordings by the second. */
const USUAL_TOKENS = { image: 1_000, file: 3_000 } as const
const USUAL_CHARACTERS_PER_TOKEN = { audio: 500, file: 25 } as const
const USUAL_BYTES_PER_AUDIO_TOKEN = 400

const usualTokensOf = (part: ContentPart): number => {
  if (part.type === 'image') return USUAL_TOKENS.image
  if (part.type !== 'audio' && part.type !== 'file') return 0
  const data = dataOf(part)
  return data === '' ? USUAL_TOKENS.file : Math.ceil(data.length / USUAL_CHARACTERS_PER_TOKEN[part.type])
}

const usualTokensOfUploads = ({ endpoint, body }: PassthroughRequest): number => {
  const files = body.kind === 'form' ? body.parts.flatMap(part => ('bytes' in part ? [part.bytes] : [])) : []
  const tokensOf = (bytes: number) =>
    endpoint.startsWith('images/') ? USUAL_TOKENS.image : Math.ceil(bytes / USUAL_BYTES_PER_AUDIO_TOKEN)
  return files.reduce((tokens, bytes) => tokens + tokensOf(bytes), 0)
}

/** What the media of a call are usually counted as, for an estimate of what it has used. */
export const usualTokensOfMedia = (call: Call): number => {
  if (call.passthrough) return usualTokensOfUploads(call.passthrough)
  let tokens = 0
  // Calls of half a million messages are read at once: without a list or a generator for each.
  for (const { content } of call.messages)
    if (typeof content !== 'string') for (const part of content) tokens += usualTokensOf(part)
  return tokens
}

const bytesOfMessage = (message: Message): number => {
  const { content } = message
  let bytes = 0
  if (typeof content === 'string') bytes = Buffer.byteLength(content)
  else for (const part of content) if (part.type === 'text') bytes += Buffer.byteLength(part.text)
  if (message.role !== 'assistant') return bytes
  for (const { name, arguments: input } of message.toolCalls ?? []) bytes += Buffer.byteLength(name + input)
  for (const { text, redacted = text } of message.reasoning ?? []) bytes += Buffer.byteLength(redacted)
  return bytes
}

/** UTF-8 bytes of a call's texts, tools and schema, for an estimate of what it has used. */
export const usualBytes = (call: Call): number => {
  if (call.passthrough) return promptBytes(call)
  const { tools = [], responseFormat } = call.parameters ?? {}
  let bytes = responseFormat ? Buffer.byteLength(JSON.stringify(responseFormat)) : 0
  for (const tool of tools) bytes += Buffer.byteLength(textOfTool(tool))
  for (const message of call.messages) bytes += bytesOfMessage(message)
  return bytes
}
