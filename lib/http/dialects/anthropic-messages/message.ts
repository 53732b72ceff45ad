import type { WholeReply } from '../../../llm/events.ts'
import type { FinishReason, Reply, ReplyEvent, ToolCall, Usage } from '../../../llm/types.ts'
import { isObject } from '../../../raw-json.ts'

const REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  content_filter: 'refusal',
  tool_calls: 'tool_use',
  stopped: 'end_turn',
  other: 'end_turn',
}

/** Some vendors end an answer that calls tools as any other; Anthropic's clients go by the reason alone. */
export const stopReasonOf = (reason: FinishReason, callsTools: boolean): string =>
  callsTools && (reason === 'stop' || reason === 'other') ? REASONS.tool_calls : REASONS[reason]

/** Anthropic counts input read from or written to its cache beside the rest; ours includes it. */
export const usageBody = ({
  inputTokens,
  outputTokens,
  cachedInputTokens: read = 0,
  cacheWriteInputTokens: written = 0,
  reasoningTokens,
}: Usage) => ({
  input_tokens: inputTokens - read - written,
  cache_creation_input_tokens: written,
  cache_read_input_tokens: read,
  output_tokens: outputTokens,
  ...(reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: reasoningTokens } }),
})

const TIERS: ReadonlySet<string> = new Set(['standard', 'priority', 'batch'])

/** The usage of a whole message. Tiers of other vendors have no name in it. */
export const messageUsage = (usage: Usage) => {
  const { cacheWriteInputTokens: written = 0, cacheWrite1hInputTokens: forAnHour = 0 } = usage
  const { serviceTier = '' } = usage
  return {
    ...usageBody(usage),
    cache_creation: {
      ephemeral_5m_input_tokens: written - forAnHour,
      ephemeral_1h_input_tokens: forAnHour,
    },
    service_tier: TIERS.has(serviceTier) ? serviceTier : null,
  }
}

/** The members of a message before its content. */
export const messageHead = ({ head }: Reply) => ({
  id: head.id.replace(/^chat_/, 'msg_'),
  type: 'message',
  role: 'assistant',
  model: head.target.name,
})

/** A tool's input. Anthropic's is always an object; arguments that were cut off become an empty one. */
const inputOf = (json: string): object => {
  try {
    const value: unknown = JSON.parse(json)
    return isObject(value) ? value : { input: value }
  } catch {
    return {}
  }
}

type ReasoningEvent = Extract<ReplyEvent, { type: 'reasoning-delta' }>

const thinkingBlock = ({ text, signature = '', redacted }: ReasoningEvent): object =>
  redacted === undefined
    ? { type: 'thinking', thinking: text, signature }
    : { type: 'redacted_thinking', data: redacted }

const toolUse = ({ id, name, arguments: json, isCustom }: ToolCall): object => ({
  type: 'tool_use',
  id,
  name,
  input: isCustom ? { input: json } : inputOf(json),
})

/** The content blocks of a whole answer in their order. @param events those of which it consists, appended */
export const contentBlocks = (
  events: readonly ReplyEvent[],
  { toolCalls }: WholeReply,
): readonly object[] => {
  const blocks: object[] = []
  let text: { type: 'text'; text: string } | undefined
  for (const event of events) {
    if (event.type === 'reasoning-delta') {
      text = undefined
      blocks.push(thinkingBlock(event))
    } else if ((event.type === 'text-delta' || event.type === 'refusal-delta') && event.text !== '') {
      if (text) text.text += event.text
      else {
        text = { type: 'text', text: event.text }
        blocks.push(text)
      }
    }
  }
  return [...blocks, ...toolCalls.map(toolUse)]
}
