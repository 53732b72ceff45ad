import type { Usage } from '../../message.ts'
import { fieldOf, type PassthroughRequest } from '../../passthrough.ts'
import { type Fields, fieldsOf, parseJson } from './lenient.ts'
import { estimateTokens, tokenCount } from './usage.ts'

const NO_TOKENS = { inputTokens: 0, outputTokens: 0 } as const
const UNKNOWN: Usage = { ...NO_TOKENS, billed: { unit: 'unknown' } }

const FIRST_SIZE = '1024x1024'
const USUAL_QUALITY = 'standard'

/** The longest text in which a usage is looked for at its end. */
const TAIL_CHARACTERS = 4_096

/**
 * The usage in a JSON text's last 4,096 characters, however long it is: a body of images is not parsed for it.
 * Undefined where there is none.
 */
export const usageInTail = (json: string): Fields | undefined => {
  const tail = json.slice(-TAIL_CHARACTERS)
  // Inside a string the quotes have a backslash before them.
  const found = [...tail.matchAll(/(?<!\\)"usage"\s*:\s*(?=\{)/g)].at(-1)
  if (!found) return undefined
  const start = found.index + found[0].length
  for (let end = tail.indexOf('}', start); end !== -1; end = tail.indexOf('}', end + 1)) {
    const value = fieldsOf(parseJson(tail.slice(start, end + 1)))
    if (value) return value
  }
  return undefined
}

const optional = <Name extends string>(name: Name, value: unknown): { [Key in Name]?: number } => {
  const count = tokenCount(value)
  return count === undefined ? {} : ({ [name]: count } as { [Key in Name]?: number })
}

/** Counts of tokens in any of the forms that vendors report; undefined where there are none. */
const tokensIn = (reported: Fields): Usage | undefined => {
  const input = tokenCount(reported.prompt_tokens) ?? tokenCount(reported.input_tokens)
  const output = tokenCount(reported.completion_tokens) ?? tokenCount(reported.output_tokens)
  const total = tokenCount(reported.total_tokens)
  if (input === undefined && total === undefined) return undefined
  const details = fieldsOf(reported.input_tokens_details) ?? fieldsOf(reported.input_token_details)
  const inputTokens = input ?? Math.max(0, (total ?? 0) - (output ?? 0))
  const cached = tokenCount((fieldsOf(reported.prompt_tokens_details) ?? details)?.cached_tokens)
  return {
    inputTokens,
    outputTokens: output ?? 0,
    ...optional('cachedInputTokens', cached === undefined ? undefined : Math.min(cached, inputTokens)),
    ...(cached !== undefined && cached > inputTokens && { estimated: true as const }),
    ...optional('audioInputTokens', details?.audio_tokens),
    ...optional('imageInputTokens', details?.image_tokens),
  }
}

/** A week, in seconds. What an upstream says beyond it is no duration. */
const LONGEST_AUDIO_S = 604_800

const secondsOf = (value: unknown): number | undefined => {
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof seconds === 'number' && seconds >= 0 && seconds <= LONGEST_AUDIO_S ? seconds : undefined
}

const imagesOf = (request: PassthroughRequest): Usage => {
  const chosen = (name: string, usual: string): string => {
    const value = fieldOf(request, name)
    return value === undefined || value === 'auto' ? usual : value
  }
  const kind = `${chosen('quality', USUAL_QUALITY)} ${chosen('size', FIRST_SIZE)}`
  const count = tokenCount(fieldOf(request, 'n') ?? 1) ?? 1
  return { ...NO_TOKENS, billed: { unit: 'image', count, kind } }
}

/** Longer texts than any vendor takes are not counted exactly. */
const MOST_COUNTED = 100_000
const charactersIn = (text: string): number => (text.length > MOST_COUNTED ? text.length : [...text].length)

const bytesOfMember = ({ body }: PassthroughRequest, name: string): number =>
  body.kind === 'json' ? Buffer.byteLength(body.members.find(one => one[0] === name)?.[1] ?? '') : 0

/** What the vendor does not report: what the request says itself, else an estimate from the texts, where they are all. */
const unreported = (request: PassthroughRequest, textBytes: number): Usage => {
  switch (request.endpoint) {
    case 'completions':
      return {
        inputTokens: estimateTokens(bytesOfMember(request, 'prompt')),
        outputTokens: estimateTokens(textBytes),
        estimated: true,
      }
    case 'embeddings': {
      const inputTokens = estimateTokens(bytesOfMember(request, 'input'))
      return inputTokens === 0 ? UNKNOWN : { ...NO_TOKENS, inputTokens, estimated: true }
    }
    case 'moderations':
      return NO_TOKENS
    case 'audio/speech':
      return {
        ...NO_TOKENS,
        billed: { unit: 'character', count: charactersIn(fieldOf(request, 'input') ?? '') },
      }
    case 'images/generations':
    case 'images/edits':
      return imagesOf(request)
    default:
      return UNKNOWN
  }
}

/** What an answer's body says of its usage. */
type AnswerBody = Readonly<{
  usage: Fields | undefined
  /** In seconds. */
  duration?: unknown
  /** UTF-8 bytes of the text in it, as far as it was delivered. */
  textBytes: number
}>

/** The usage of a request to an endpoint beside chat, as it was sent upstream. */
export const bodyUsage = (
  request: PassthroughRequest,
  { usage: reported, duration, textBytes }: AnswerBody,
): Usage => {
  const tokens = reported && tokensIn(reported)
  if (tokens) return tokens
  const seconds = secondsOf(reported?.seconds ?? duration)
  if (request.endpoint.startsWith('audio/') && request.endpoint !== 'audio/speech' && seconds !== undefined)
    return { ...NO_TOKENS, billed: { unit: 'second', count: seconds } }
  return unreported(request, textBytes)
}
