import type { Clock } from '../../../clock.ts'
import type { GatewayError } from '../../../errors.ts'
import { answerOf, collectEvents, type Finish, unfinished, type WholeReply } from '../../../llm/events.ts'
import { openAiTier } from '../../../llm/message.ts'
import { toolCallBody, toolCallDelta } from '../../../llm/openai-tool-call.ts'
import type { Call, FinishReason, Reply, ReplyEvent, Usage } from '../../../llm/types.ts'
import { withMember } from '../../../raw-json.ts'
import { costHeaders, type RouteResponse } from '../../route-response.ts'
import { eventStream } from '../../sse.ts'
import { type FrameWriter, framesOf } from '../frames.ts'
import { openAiErrorBody } from '../openai-error.ts'
import { PassedChunks, type WireEvent } from './passed-chunks.ts'

const REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  tool_calls: 'tool_calls',
  stopped: 'stop',
  other: 'stop',
}

const usageBody = ({
  inputTokens,
  outputTokens,
  cachedInputTokens,
  cacheWriteInputTokens,
  reasoningTokens,
}: Usage) => ({
  prompt_tokens: inputTokens,
  completion_tokens: outputTokens,
  total_tokens: inputTokens + outputTokens,
  prompt_tokens_details: {
    cached_tokens: cachedInputTokens ?? 0,
    ...(cacheWriteInputTokens !== undefined && { cache_write_tokens: cacheWriteInputTokens }),
  },
  completion_tokens_details: { reasoning_tokens: reasoningTokens ?? 0 },
})

/** The members that all chunks of an answer share. */
const headOf = ({ head }: Reply, now: number, object: 'chat.completion' | 'chat.completion.chunk') => ({
  id: head.id.replace(/^chat_/, 'chatcmpl-'),
  object,
  created: Math.floor(now / 1000),
  model: head.target.name,
})

const reasoningBody = (reasoning: WholeReply['reasoning']) => {
  const text = reasoning.map(block => block.text).join('')
  return text === '' ? {} : { reasoning_content: text }
}

const messageBody = ({ text, refusal, reasoning, toolCalls }: WholeReply) => ({
  role: 'assistant',
  content: text === '' && (toolCalls.length > 0 || refusal !== '') ? null : text,
  refusal: refusal === '' ? null : refusal,
  ...reasoningBody(reasoning),
  ...(toolCalls.length > 0 && {
    tool_calls: toolCalls.map(toolCallBody),
  }),
})

const isWire = (event: ReplyEvent): event is WireEvent =>
  event.type === 'wire' && event.format === 'openai-chat'

const whole = async (reply: Reply, clock: Clock): Promise<RouteResponse> => {
  const events = await collectEvents(reply)
  const wire = events.find(isWire)
  const usage = await reply.usage
  const headers = costHeaders(usage)
  if (wire) return { text: { type: 'application/json; charset=utf-8', body: wire.json }, headers }
  const answer = answerOf(events)
  if (!answer) throw unfinished()
  return {
    json: {
      ...headOf(reply, clock.now(), 'chat.completion'),
      choices: [
        {
          index: 0,
          message: messageBody(answer),
          logprobs: null,
          finish_reason: REASONS[answer.finish.reason],
        },
      ],
      usage: usageBody(usage),
      ...openAiTier(usage),
    },
    headers,
  }
}

const deltaOf = (event: ReplyEvent): object | undefined => {
  switch (event.type) {
    case 'text-delta':
      return { content: event.text }
    case 'refusal-delta':
      return { refusal: event.text }
    case 'reasoning-delta':
      return event.text === '' ? undefined : { reasoning_content: event.text }
    case 'tool-call-delta':
      return { tool_calls: [toolCallDelta(event)] }
    default:
      return undefined
  }
}

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`

/**
 * A reply's events as chunks. They come from the upstream as they are where it has the same format; what is written
 * beside them has the members that they share.
 */
class ChunkWriter implements FrameWriter {
  #ownHead: object
  readonly #wantsUsage: boolean
  #hasRole = false
  #passed: PassedChunks | undefined

  constructor(reply: Reply, now: number, wantsUsage: boolean) {
    this.#ownHead = headOf(reply, now, 'chat.completion.chunk')
    this.#wantsUsage = wantsUsage
  }

  write(event: ReplyEvent): string {
    if (isWire(event)) {
      this.#passed ??= new PassedChunks(this.#wantsUsage)
      return this.#passed.write(event)
    }
    return this.#passed ? '' : this.#delta(deltaOf(event))
  }

  end(finish: Finish, usage: Usage): string {
    const left = this.#passed?.end()
    if (!this.#passed) this.#ownHead = { ...this.#ownHead, ...openAiTier(usage) }
    const hasReason = this.#passed !== undefined && finish.raw !== undefined
    const reason = hasReason ? '' : this.#role() + this.#chunk({}, REASONS[finish.reason])
    const needsUsage = this.#wantsUsage && !this.#passed?.hasUsage
    const counts = needsUsage ? this.#usage(left?.usage ?? JSON.stringify(usageBody(usage))) : ''
    return `${left?.frames ?? ''}${reason}${counts}data: [DONE]\n\n`
  }

  fail(error: GatewayError): string {
    return `${this.#passed?.fail() ?? ''}${data(openAiErrorBody(error))}`
  }

  #delta(delta: object | undefined): string {
    return delta ? this.#role() + this.#chunk(delta) : ''
  }

  /** The chunk that begins an answer, where none has begun it. */
  #role(): string {
    if (this.#hasRole || this.#passed) return ''
    this.#hasRole = true
    return this.#chunk({ role: 'assistant', content: '' })
  }

  #chunk(delta: object, reason: string | null = null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason: reason }]
    return data({ ...this.#head, choices, ...(this.#wantsUsage && { usage: null }) })
  }

  #usage(json: string): string {
    return `data: ${withMember(JSON.stringify({ ...this.#head, choices: [] }), 'usage', () => json)}\n\n`
  }

  get #head(): object {
    return this.#passed ? { ...this.#ownHead, ...this.#passed.shared } : this.#ownHead
  }
}

export type ChatCompletionOptions = Readonly<{
  clock: Clock
  abort: (reason: GatewayError) => void
  /** The client asked for a stream's usage. */
  wantsUsage: boolean
}>

/** A reply as OpenAI's chat completion, or as its chunks for a call that wants a stream. */
export const chatCompletionResponse = async (
  call: Call,
  reply: Reply,
  { clock, abort, wantsUsage }: ChatCompletionOptions,
): Promise<RouteResponse> =>
  call.stream
    ? eventStream(framesOf(reply, new ChunkWriter(reply, clock.now(), wantsUsage)), { clock, abort })
    : whole(reply, clock)
