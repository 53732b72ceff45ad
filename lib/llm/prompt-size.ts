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
/** Of a document or a recording whose length is unknown, and what its base64 text may stand for. */
const TOKENS_OF_FILE = 20_000
const CHARACTERS_PER_FILE_TOKEN = 20
const MOST_MISSES = 8

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
