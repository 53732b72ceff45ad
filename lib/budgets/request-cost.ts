import { fieldOf, type PassthroughRequest, writtenMember } from '../llm/passthrough.ts'
import { completionTokensOf, numberIn } from '../llm/passthrough-size.ts'
import type { UnitPrice } from '../llm/providers/definition.ts'
import { atOnce } from '../loop-turns.ts'
import { PICO_PER_NANO, picoUsdOf } from '../money.ts'
import { countElements } from '../raw-json.ts'

const CHARACTERS_OF_A_PRICE = 1e6
/** An image that is billed by tokens has at most 6,240 of them. */
const OUTPUT_TOKENS_OF_IMAGE = 10_000
/** The most that an image to be edited is counted as, with room. */
const INPUT_TOKENS_OF_IMAGE = 8_000
/**
 * 4 kbit/s, below the lowest rates of speech: AMR's 4.75 and Opus' 6 kbit/s. No recording of that size lasts longer,
 * unless most of it is silence, which some formats leave out.
 */
const LEAST_BYTES_PER_SECOND = 500
const TOKENS_PER_SECOND = 50
/**
 * Speech has some 20 tokens a second. A UTF-8 byte of slow speech takes a tenth of a second, and a digit, which is read
 * as a word or more, a whole one.
 */
const SPEECH_TOKENS_OF_BYTE = 2
const SPEECH_TOKENS_OF_DIGIT = 20
const DIGIT = /\p{N}/gu
/** The slowest speech that can be asked for. Source: OpenAI, "Create speech". */
const LEAST_SPEED = 0.25

const nanoOf = (picoUsd: number): number => Math.ceil(picoUsd / PICO_PER_NANO)

const secondsIn = ({ body }: PassthroughRequest): number =>
  body.kind === 'json'
    ? 0
    : body.parts.reduce((sum, part) => ('bytes' in part ? sum + part.bytes / LEAST_BYTES_PER_SECOND : sum), 0)

/** Picodollars of an image: by its quality and size where these have a price, else the highest price of all. */
const imagePicoUsd = (
  { usd }: Extract<UnitPrice, { unit: 'image' }>,
  request: PassthroughRequest,
): number => {
  const kind = `${fieldOf(request, 'quality') ?? ''} ${fieldOf(request, 'size') ?? ''}`
  return picoUsdOf(usd[kind] ?? Math.max(0, ...Object.values(usd)))
}

/** The cost of what is not billed by tokens. */
export const unitNanoUsd = (price: UnitPrice, request: PassthroughRequest): number => {
  switch (price.unit) {
    case 'character': {
      const perCharacter = picoUsdOf(price.usdPerMillion) / CHARACTERS_OF_A_PRICE
      return nanoOf((fieldOf(request, 'input') ?? '').length * perCharacter)
    }
    case 'second':
      return nanoOf(Math.ceil(secondsIn(request)) * picoUsdOf(price.usd))
    default:
      return nanoOf((numberIn(request, 'n') ?? 1) * imagePicoUsd(price, request))
  }
}

const spokenTokens = (request: PassthroughRequest): number => {
  const text = fieldOf(request, 'input') ?? ''
  const digits = text.match(DIGIT)?.length ?? 0
  const tokens = Buffer.byteLength(text) * SPEECH_TOKENS_OF_BYTE + digits * SPEECH_TOKENS_OF_DIGIT
  const speed = Number(fieldOf(request, 'speed') ?? 1)
  return Math.ceil(tokens / Math.max(LEAST_SPEED, Math.min(1, speed || 1)))
}

const imagesIn = (request: PassthroughRequest): number => {
  const { body } = request
  if (body.kind === 'form') return body.parts.filter(part => 'bytes' in part).length
  const images = ['image', 'images'].map(name => writtenMember(request, name) ?? '')
  const masks = writtenMember(request, 'mask') === undefined ? 0 : 1
  return images.reduce(
    (sum, one) => sum + (one.startsWith('[') ? atOnce(countElements(one)).elements : 1),
    masks,
  )
}

/** A ranking model reads the query anew with each document. */
const repeatedQueryBytes = (request: PassthroughRequest): number =>
  (request.inputs - 1) * Buffer.byteLength(writtenMember(request, 'query') ?? '')

/** The most input tokens of a request beside those of its texts: of its recordings and images. */
const inputTokensBesideTexts = (request: PassthroughRequest): number => {
  const { endpoint } = request
  if (endpoint === 'images/edits') return imagesIn(request) * INPUT_TOKENS_OF_IMAGE
  if (endpoint === 'rerank') return repeatedQueryBytes(request)
  return Math.ceil(secondsIn(request) * TOKENS_PER_SECOND)
}

/**
 * The most input tokens of a request beside chat.
 * @param textTokens those of all its texts
 * @param window of one input: a longer one is refused by the model
 */
export const inputTokensOfRequest = (
  request: PassthroughRequest,
  textTokens: number,
  window: number,
): number => Math.min(window * request.inputs, textTokens + inputTokensBesideTexts(request))

/** The most output tokens of a request beside chat. */
export const outputTokensOfRequest = (request: PassthroughRequest): number => {
  const { endpoint } = request
  if (endpoint === 'completions') return completionTokensOf(request)
  if (endpoint === 'audio/speech') return spokenTokens(request)
  if (endpoint.startsWith('images/')) return OUTPUT_TOKENS_OF_IMAGE * (numberIn(request, 'n') ?? 1)
  return endpoint.startsWith('audio/') ? Math.ceil(secondsIn(request) * TOKENS_PER_SECOND) : 0
}
