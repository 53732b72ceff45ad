import type { Usage } from '../../message.ts'
import { fieldOf, type PassthroughRequest, writtenMember } from '../../passthrough.ts'
import { type Fields, fieldsOf, parseJson } from './lenient.ts'
import type { OpenAiVariant } from './openai-variant.ts'
import {
  countsIn,
  estimateTokens,
  isReported,
  type ReportedUsage,
  tokenCount,
  usageOf,
  withBilling,
} from './usage.ts'

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

const TIER = /(?<!\\)"service_tier"\s*:\s*"([\w.-]{1,40})"/

/** The service tier that a JSON text names; undefined where it names none. */
export const tierIn = (json: string): string | undefined =>
  json.includes('"service_tier"') ? TIER.exec(json)?.[1] : undefined

/** Counts of tokens in any of the forms that vendors report; undefined where there are none of input. */
const tokensIn = (reported: Fields): ReportedUsage | undefined => {
  const counts = countsIn(reported)
  if (counts.inputTokens !== undefined) return counts
  const total = tokenCount(reported.total_tokens)
  return total === undefined
    ? undefined
    : { ...counts, inputTokens: Math.max(0, total - (counts.outputTokens ?? 0)) }
}

/** A week, in seconds. What an upstream says beyond it is no duration. */
const LONGEST_AUDIO_S = 604_800

const secondsOf = (value: unknown): number | undefined => {
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof seconds === 'number' && seconds >= 0 && seconds <= LONGEST_AUDIO_S ? seconds : undefined
}

/** The images that came, as usage; those that were requested where it is not known how many came. */
const imagesOf = (request: PassthroughRequest, came: number | undefined): Usage => {
  const chosen = (name: string, usual: string): string => {
    const value = fieldOf(request, name)
    return value === undefined || value === 'auto' ? usual : value
  }
  const kind = `${chosen('quality', USUAL_QUALITY)} ${chosen('size', FIRST_SIZE)}`
  const count = came ?? tokenCount(fieldOf(request, 'n') ?? 1) ?? 1
  return { ...NO_TOKENS, billed: { unit: 'image', count, kind } }
}

/** Longer texts than any vendor takes are not counted exactly. */
const MOST_COUNTED = 100_000
const charactersIn = (text: string): number => (text.length > MOST_COUNTED ? text.length : [...text].length)

const bytesOfMember = (request: PassthroughRequest, name: string): number =>
  Buffer.byteLength(writtenMember(request, name) ?? '')

/** Output tokens per byte of spoken text, with room: 20 tokens a second, and 15 letters or bytes of other scripts. */
const SPEECH_TOKENS_OF_BYTE = 1.5

const speechUsage = (request: PassthroughRequest): Usage => {
  const [input, instructions] = ['input', 'instructions'].map(name => fieldOf(request, name) ?? '')
  const tokens = {
    inputTokens: estimateTokens(Buffer.byteLength(`${input}${instructions}`)),
    outputTokens: Math.ceil(Buffer.byteLength(input ?? '') * SPEECH_TOKENS_OF_BYTE),
  }
  return { ...NO_TOKENS, billed: { unit: 'character', count: charactersIn(input ?? ''), tokens } }
}

/** What the vendor does not report: what the answer shows, or the request says itself, else an estimate from its texts. */
const unreported = (request: PassthroughRequest, { images }: AnswerBody): Usage => {
  switch (request.endpoint) {
    case 'embeddings': {
      const inputTokens = estimateTokens(bytesOfMember(request, 'input'))
      return inputTokens === 0 ? UNKNOWN : { ...NO_TOKENS, inputTokens, estimated: true }
    }
    case 'moderations':
      return NO_TOKENS
    case 'audio/speech':
      return speechUsage(request)
    case 'images/generations':
    case 'images/edits':
      return imagesOf(request, images)
    default:
      return UNKNOWN
  }
}

/** What an answer's body says of its usage. */
type AnswerBody = Readonly<{
  usage: Fields | undefined
  /** The length of what was heard, in seconds. */
  duration?: unknown
  /** How many images came; undefined where it is not known. */
  images?: number | undefined
  /** The service tier that answered. */
  tier?: unknown
  /** UTF-8 bytes of the text in it, as far as it was delivered. */
  textBytes: number
  /** It is not complete. */
  isCut?: boolean
  /** The cost in US dollars that a usage reports. */
  reportedCostUsd?: OpenAiVariant['reportedCostUsd']
}>

const billingIn = ({ usage, tier, reportedCostUsd }: AnswerBody): ReportedUsage =>
  withBilling({}, { tier: tier ?? usage?.service_tier, costUsd: usage && reportedCostUsd?.(usage) })

/** The usage of a completion: its texts are known, so that what is missing can be estimated. */
const completionUsage = (request: PassthroughRequest, answer: AnswerBody): Usage =>
  usageOf(
    { ...(answer.usage && (tokensIn(answer.usage) ?? countsIn(answer.usage))), ...billingIn(answer) },
    {
      textBytes: answer.textBytes,
      isComplete: !answer.isCut,
      estimatedInputTokens: () => estimateTokens(bytesOfMember(request, 'prompt')),
    },
  )

/** The usage of a request to an endpoint beside chat, as it was sent upstream. */
export const bodyUsage = (request: PassthroughRequest, answer: AnswerBody): Usage => {
  const { usage: reported, duration } = answer
  const { endpoint } = request
  if (endpoint === 'completions') return completionUsage(request, answer)
  const billing = billingIn(answer)
  const tokens = reported && tokensIn(reported)
  if (tokens)
    return usageOf(
      { outputTokens: 0, ...tokens, ...billing },
      { textBytes: 0, isComplete: true, estimatedInputTokens: () => 0 },
    )
  const seconds = secondsOf(reported?.seconds ?? duration)
  if (endpoint.startsWith('audio/') && endpoint !== 'audio/speech' && seconds !== undefined)
    return { ...NO_TOKENS, billed: { unit: 'second', count: seconds }, ...billing }
  return { ...unreported(request, answer), ...billing }
}

/** The usage that the body of a failed answer reports; undefined where it reports none. */
export const failedUsage = (request: PassthroughRequest, answer: AnswerBody): Usage | undefined => {
  const reported = answer.usage && { ...tokensIn(answer.usage), ...billingIn(answer) }
  return isReported(reported) ? bodyUsage(request, answer) : undefined
}
