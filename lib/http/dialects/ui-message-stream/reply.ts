import type { Clock } from '../../../clock.ts'
import type { GatewayError } from '../../../errors.ts'
import type { Finish, ToolEvent } from '../../../llm/events.ts'
import type { Call, FinishReason, Reply, ReplyEvent, Usage } from '../../../llm/types.ts'
import type { RouteResponse } from '../../route-response.ts'
import { eventStream } from '../../sse.ts'
import { closing, opening } from '../chat.ts'
import { type FrameWriter, framesOf } from '../frames.ts'
import { CARRIED_BY } from './request.ts'

const REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content-filter',
  tool_calls: 'tool-calls',
  stopped: 'stop',
  other: 'other',
}

type Delta = Extract<ReplyEvent, { type: 'text-delta' | 'refusal-delta' | 'reasoning-delta' }>
type ReasoningDelta = Extract<ReplyEvent, { type: 'reasoning-delta' }>
type ToolDelta = Extract<ReplyEvent, { type: 'tool-call-delta' }>
type OpenCall = { id: string; name: string; arguments: string; isCustom: boolean; extraContent?: unknown }

const data = (chunk: object): string => `data: ${JSON.stringify(chunk)}\n\n`

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json === '' ? '{}' : json)
  } catch {
    return undefined
  }
}

/** A tool's arguments as a value; undefined where the model did not write JSON. */
const inputOf = ({ arguments: text, isCustom }: OpenCall): { input: unknown } | undefined => {
  if (isCustom) return { input: text }
  const input = parsed(text)
  return input === undefined ? undefined : { input }
}

const whole = (call: OpenCall): string => {
  const { id: toolCallId, name: toolName } = call
  const found = inputOf(call)
  const { extraContent } = call
  const providerMetadata = extraContent === undefined ? {} : { [CARRIED_BY]: { extraContent } }
  if (found)
    return data({
      type: 'tool-input-available',
      toolCallId,
      toolName,
      ...found,
      ...(extraContent !== undefined && { providerMetadata }),
    })
  const errorText = 'The arguments that the model wrote are not valid JSON.'
  return data({ type: 'tool-input-error', toolCallId, toolName, input: call.arguments, errorText })
}

/** A tool that the gateway runs, as one of the provider's. */
const ownTool = ({ id: toolCallId, name: toolName, state, arguments: text, result }: ToolEvent): string => {
  const part = { toolCallId, providerExecuted: true, dynamic: true }
  if (state === 'running') {
    const input = parsed(text ?? '') ?? text
    return data({ type: 'tool-input-available', toolName, input, ...part })
  }
  if (state === 'done') return data({ type: 'tool-output-available', output: result, ...part })
  const { error } = (result ?? {}) as { error?: { message?: string } }
  return data({ type: 'tool-output-error', errorText: error?.message ?? 'The tool failed.', ...part })
}

const NEXT_STEP = data({ type: 'finish-step' }) + data({ type: 'start-step' })

const DONE = 'data: [DONE]\n\n'

type Head = Readonly<{ call: Call; reply: Reply; continues: string | undefined; clock: Clock }>

const startOf = ({ call, reply, continues }: Head): string => {
  const messageMetadata = { ...opening(call, reply), cache: reply.head.cache }
  return (
    data({ type: 'start', messageId: continues ?? reply.head.id, messageMetadata }) +
    data({ type: 'start-step' })
  )
}

const endOf = ({ call, reply, clock }: Head, finish: Finish, usage: Usage): string =>
  data({ type: 'finish-step' }) +
  data({
    type: 'finish',
    finishReason: REASONS[finish.reason],
    messageMetadata: closing(call, reply, finish, usage, clock.now()),
  }) +
  DONE

/** Writes events as chunks: each text, reasoning and tool call is begun, continued and ended. */
class ChunkWriter implements FrameWriter {
  readonly #head: Head
  #open: 'text' | 'reasoning' | undefined
  #count = 0
  #hasRunTools = false
  readonly #calls = new Map<number, OpenCall>()

  constructor(head: Head) {
    this.#head = head
  }

  start(): string {
    return startOf(this.#head)
  }

  write(event: ReplyEvent): string {
    if (event.type === 'tool') {
      this.#hasRunTools = true
      return this.#end() + ownTool(event)
    }
    const chunks = this.#chunksOf(event)
    if (!this.#hasRunTools || chunks === '') return chunks
    // What follows the results of tools is a step of its own, as after a client's tools.
    this.#hasRunTools = false
    return NEXT_STEP + chunks
  }

  #chunksOf(event: ReplyEvent): string {
    switch (event.type) {
      case 'text-delta':
      case 'refusal-delta':
        return this.#delta('text', event)
      case 'reasoning-delta':
        return this.#reasoning(event)
      case 'tool-call-delta':
        return this.#end() + this.#toolDelta(event)
      default:
        return ''
    }
  }

  end(finish: Finish, usage: Usage): string {
    return this.#end() + [...this.#calls.values()].map(whole).join('') + endOf(this.#head, finish, usage)
  }

  fail(error: GatewayError): string {
    return data({ type: 'error', errorText: error.message }) + DONE
  }

  /** What only its vendor understands of reasoning comes with its end; a redacted block has nothing else. */
  #reasoning(event: ReasoningDelta): string {
    const { text, signature, redacted } = event
    if (redacted !== undefined)
      return this.#end() + this.#begin('reasoning') + this.#end({ [CARRIED_BY]: { redacted } })
    const delta = text === '' ? '' : this.#delta('reasoning', event)
    if (signature === undefined) return delta
    const begun = this.#open === 'reasoning' ? '' : this.#end() + this.#begin('reasoning')
    return delta + begun + this.#end({ [CARRIED_BY]: { signature } })
  }

  #delta(kind: 'text' | 'reasoning', { text }: Delta): string {
    const start = this.#open === kind ? '' : this.#end() + this.#begin(kind)
    return start + data({ type: `${kind}-delta`, id: String(this.#count), delta: text })
  }

  #begin(kind: 'text' | 'reasoning'): string {
    this.#open = kind
    this.#count += 1
    return data({ type: `${kind}-start`, id: String(this.#count) })
  }

  #end(providerMetadata?: object): string {
    const kind = this.#open
    this.#open = undefined
    if (!kind) return ''
    return data({
      type: `${kind}-end`,
      id: String(this.#count),
      ...(providerMetadata && { providerMetadata }),
    })
  }

  #toolDelta({ index, id, name, arguments: text, isCustom, extraContent }: ToolDelta): string {
    const known = this.#calls.get(index)
    const call = known ?? { id: id ?? '', name: name ?? '', arguments: '', isCustom: isCustom ?? false }
    this.#calls.set(index, call)
    call.arguments += text
    call.extraContent ??= extraContent
    const start = known ? '' : data({ type: 'tool-input-start', toolCallId: call.id, toolName: call.name })
    const delta =
      text === '' ? '' : data({ type: 'tool-input-delta', toolCallId: call.id, inputTextDelta: text })
    return start + delta
  }
}

export type UiMessageStreamOptions = Readonly<{
  clock: Clock
  abort: (reason: GatewayError) => void
  /** The id of the message that the answer continues; it becomes a new one when absent. */
  continues: string | undefined
}>

/** A reply as a UI message stream. Source: "Stream Protocols" of the AI SDK, v1. */
export const uiMessageStream = (
  call: Call,
  reply: Reply,
  { clock, abort, continues }: UiMessageStreamOptions,
): RouteResponse => ({
  ...eventStream(framesOf(reply, new ChunkWriter({ call, reply, continues, clock })), { clock, abort }),
  headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
})
