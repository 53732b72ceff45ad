import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { beginAttempt } from '../request-context.ts'
import type { ContentPart, Message, Tool } from './message.ts'
import type { Call, Provider } from './types.ts'

/** A count of a call's input: the vendor's own answer, as JSON text, or an estimate. */
export type TokenCount =
  | Readonly<{ kind: 'counted'; json: string }>
  | Readonly<{ kind: 'estimated'; tokens: number }>

export type CountTokensDeps = Readonly<{
  providers: ReadonlyMap<string, Provider>
  /** Counts the tokens of texts. Rejects with the reason of a signal that aborts. */
  tokenizer: Readonly<{ count: (texts: Iterable<string>, signal: AbortSignal) => Promise<number> }>
  clock: Clock
}>

/** What vendors add around each message, and before their answer. Source: OpenAI Cookbook, "How to count tokens". */
const TOKENS_A_MESSAGE = 4
const TOKENS_OF_ANSWER = 3
/** Tokens of an image of the largest size that models do not scale down, and of a page or two of a document. */
const TOKENS_OF_IMAGE = 1_600
const TOKENS_OF_FILE = 3_000

const tokensOfPart = ({ type }: ContentPart): number => {
  if (type === 'image') return TOKENS_OF_IMAGE
  return type === 'file' || type === 'audio' ? TOKENS_OF_FILE : 0
}

const tokensOfParts = ({ content }: Message): number =>
  typeof content === 'string' ? 0 : content.reduce((tokens, part) => tokens + tokensOfPart(part), 0)

function* textsOfMessage(message: Message): Generator<string> {
  const { content } = message
  if (typeof content === 'string') yield content
  else for (const part of content) if (part.type === 'text') yield part.text
  if (message.role !== 'assistant') return
  for (const call of message.toolCalls ?? []) yield `${call.name} ${call.arguments}`
}

const textOfTool = ({ name, description = '', parameters }: Tool): string =>
  `${name} ${description} ${parameters === undefined ? '' : JSON.stringify(parameters)}`

function* textsOf({ messages, parameters = {} }: Call): Generator<string> {
  for (const message of messages) yield* textsOfMessage(message)
  for (const tool of parameters.tools ?? []) yield textOfTool(tool)
}

const estimate = async (call: Call, { tokenizer }: CountTokensDeps): Promise<TokenCount> => {
  const around = call.messages.reduce(
    (tokens, message) => tokens + TOKENS_A_MESSAGE + tokensOfParts(message),
    TOKENS_OF_ANSWER,
  )
  return { kind: 'estimated', tokens: around + (await tokenizer.count(textsOf(call), call.signal)) }
}

const counted = async (call: Call, deps: CountTokensDeps): Promise<TokenCount> => {
  const [target] = call.plan
  const provider = target && deps.providers.get(target.provider)
  if (!target || !provider?.countTokens) return estimate(call, deps)
  const attempt = beginAttempt(call, target, deps.clock.now())
  try {
    const json = await provider.countTokens(call, target, attempt)
    return json === undefined ? await estimate(call, deps) : { kind: 'counted', json }
  } finally {
    attempt.endedAt = deps.clock.now()
  }
}

/**
 * Counts the input tokens of a call: by the provider where it counts calls of that format, else by the tokenizer.
 * Rejects with a GatewayError where the provider refuses the call or fails, or the count is not there by the call's
 * deadline, and with the reason of its signal where that aborts.
 */
export const countTokens = async (call: Call, deps: CountTokensDeps): Promise<TokenCount> => {
  const deadline = new AbortController()
  const timer = deps.clock.timer(Math.max(0, call.deadlineAt - deps.clock.now()), () =>
    deadline.abort(new GatewayError('TIMEOUT')),
  )
  try {
    return await counted({ ...call, signal: AbortSignal.any([call.signal, deadline.signal]) }, deps)
  } finally {
    timer.cancel()
  }
}
