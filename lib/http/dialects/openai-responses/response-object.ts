import { openAiTier } from '../../../llm/message.ts'
import type { Reply, Usage } from '../../../llm/types.ts'
import type { OpenAiResponsesBody } from '../../../validation/openai-responses.ts'

/** The state of a response, as far as it changes while it is written. */
export type ResponseState = Readonly<{
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  output: readonly object[]
  usage?: Usage
  /** Why it is incomplete. */
  reason?: 'max_output_tokens' | 'content_filter'
  error?: Readonly<{ code: string; message: string }>
}>

const ID_PREFIX = /^chat_/

/** The part of a reply's id that is its own. */
export const ownIdOf = ({ head }: Reply): string => head.id.replace(ID_PREFIX, '')

const usageBody = (usage: Usage) => {
  const {
    inputTokens,
    outputTokens,
    cachedInputTokens = 0,
    cacheWriteInputTokens = 0,
    reasoningTokens = 0,
  } = usage
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedInputTokens, cache_write_tokens: cacheWriteInputTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  }
}

type BodyTool = NonNullable<OpenAiResponsesBody['tools']>[number]

const toolBody = (tool: BodyTool): object =>
  tool.type === 'function'
    ? { ...tool, parameters: tool.parameters ?? null, strict: tool.strict ?? false }
    : tool

/** The members that a response repeats of its request. Source: OpenAI, "The response object". */
const requestMembers = (body: OpenAiResponsesBody) => ({
  instructions: body.instructions ?? null,
  max_output_tokens: body.max_output_tokens ?? null,
  metadata: body.metadata ?? {},
  parallel_tool_calls: body.parallel_tool_calls ?? true,
  previous_response_id: body.previous_response_id ?? null,
  reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.summary ?? null },
  temperature: body.temperature ?? 1,
  text: { format: body.text?.format ?? { type: 'text' } },
  tool_choice: body.tool_choice ?? 'auto',
  tools: (body.tools ?? []).map(toolBody),
  top_p: body.top_p ?? 1,
  truncation: 'disabled',
  ...(body.user !== undefined && { user: body.user }),
  ...(body.safety_identifier !== undefined && { safety_identifier: body.safety_identifier }),
})

/** The response object of a reply, from its state. */
export class ResponseObject {
  readonly id: string
  readonly #members: object
  readonly #head: object

  /**
   * @param now clock time, milliseconds
   * @param isStored whether later requests can refer to it
   */
  constructor(reply: Reply, body: OpenAiResponsesBody, now: number, isStored: boolean) {
    this.id = `resp_${ownIdOf(reply)}`
    const createdAt = Math.floor((reply.head.storedAt ?? now) / 1000)
    this.#head = { id: this.id, object: 'response', created_at: createdAt }
    this.#members = { ...requestMembers(body), model: reply.head.target.name, store: isStored }
  }

  in({ status, output, usage, reason, error }: ResponseState): object {
    return {
      ...this.#head,
      status,
      background: false,
      access_programs: null,
      error: error ?? null,
      incomplete_details: reason === undefined ? null : { reason },
      ...this.#members,
      output,
      // The specification has no null here.
      ...(usage && { usage: usageBody(usage) }),
      ...openAiTier(usage),
    }
  }
}
