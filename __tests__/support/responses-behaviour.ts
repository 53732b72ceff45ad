import { type Asked, type Behaviour, refuses, says, sends } from './upstream-behaviour.ts'

export const RESPONSES_USAGE = {
  input_tokens: 20,
  input_tokens_details: { cached_tokens: 8 },
  output_tokens: 9,
  output_tokens_details: { reasoning_tokens: 4 },
  total_tokens: 29,
}

type Item = Readonly<{ type: string; id: string } & Record<string, unknown>>
type Event = Readonly<{ type: string } & Record<string, unknown>>

const textPart = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] })

const summaryPart = (text: string) => ({ type: 'summary_text', text })

export const reasoningItem = (id: string): Item => ({ type: 'reasoning', id, summary: [summaryPart('Hm')] })

export const messageItem = (id: string, text: string): Item => ({
  type: 'message',
  id,
  status: 'completed',
  role: 'assistant',
  content: [textPart(text)],
  vendor_note: 'kept',
})

export const callItem = (id: string, callId: string, name: string, input: string): Item => ({
  type: 'function_call',
  id,
  call_id: callId,
  name,
  arguments: input,
  status: 'completed',
})

/** A response object as OpenAI writes it, with a field that no document names. */
export const nativeResponse = (id: string, output: readonly Item[], changes: object = {}) => ({
  id,
  object: 'response',
  created_at: 1_700_000_000,
  status: 'completed',
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'gpt-4o-2024-08-06',
  output,
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage: RESPONSES_USAGE,
  vendor_fact: { spelled: 'as it is' },
  ...changes,
})

const eventsOfItem = (item: Item, index: number): Event[] => {
  const at = { item_id: item.id, output_index: index }
  const done = { type: 'response.output_item.done', output_index: index, item }
  if (item.type === 'reasoning')
    return [
      { type: 'response.output_item.added', output_index: index, item: { ...item, summary: [] } },
      { type: 'response.reasoning_summary_part.added', ...at, summary_index: 0, part: summaryPart('') },
      { type: 'response.reasoning_summary_text.delta', ...at, summary_index: 0, delta: 'Hm' },
      { type: 'response.reasoning_summary_text.done', ...at, summary_index: 0, text: 'Hm' },
      { type: 'response.reasoning_summary_part.done', ...at, summary_index: 0, part: summaryPart('Hm') },
      done,
    ]
  if (item.type === 'function_call') {
    const input = String(item.arguments)
    const type = 'response.function_call_arguments'
    const open = { ...item, arguments: '', status: 'in_progress' }
    return [
      { type: 'response.output_item.added', output_index: index, item: open },
      { type: `${type}.delta`, ...at, delta: input.slice(0, 5) },
      { type: `${type}.delta`, ...at, delta: input.slice(5) },
      { type: `${type}.done`, ...at, arguments: input },
      done,
    ]
  }
  const [part] = item.content as [ReturnType<typeof textPart>]
  const inPart = { ...at, content_index: 0 }
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...item, content: [] } },
    { type: 'response.content_part.added', ...inPart, part: textPart('') },
    { type: 'response.output_text.delta', ...inPart, delta: part.text.slice(0, 2), obfuscation: 'abc' },
    { type: 'response.vendor_progress', percent: 50 },
    { type: 'response.output_text.delta', ...inPart, delta: part.text.slice(2), obfuscation: 'ab' },
    { type: 'response.output_text.done', ...inPart, text: part.text },
    { type: 'response.content_part.done', ...inPart, part },
    done,
  ]
}

/** The events of a native stream, numbered. */
export const nativeEvents = (response: ReturnType<typeof nativeResponse>): readonly Event[] => {
  const open = { ...response, status: 'in_progress', output: [], usage: null }
  const events: Event[] = [
    { type: 'response.created', response: open },
    { type: 'response.in_progress', response: open },
    ...response.output.flatMap(eventsOfItem),
    { type: `response.${response.status}`, response },
  ]
  return events.map((event, index) => ({ ...event, sequence_number: index }))
}

export const frame = (event: Event): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

/** Whether a body is a request for Responses, which an upstream without them does not know. */
export const isResponsesRequest = (asked: Asked): boolean => !('messages' in asked)

/** Answers as OpenAI's own Responses do: whole, or as a stream. */
export const responds =
  (response: ReturnType<typeof nativeResponse>): Behaviour =>
  (sink, asked, signal) =>
    asked.stream
      ? sends(nativeEvents(response).map(frame))(sink, asked, signal)
      : sends([JSON.stringify(response, null, 2)], { type: 'application/json' })(sink, asked, signal)

/** A server without the endpoint: chat completions alone. */
export const withoutResponses =
  (chat: Behaviour, status = 404, body = '{"detail":"Not Found"}'): Behaviour =>
  (sink, asked, signal) =>
    isResponsesRequest(asked)
      ? void sink.writeHead(status, { 'content-type': 'application/json' }).end(body)
      : chat(sink, asked, signal)

/** The events of a stream's text: names and data. */
export const eventsIn = (
  text: string,
): readonly Readonly<{ event: string; data: Record<string, unknown> }>[] =>
  text
    .split('\n\n')
    .filter(one => one.startsWith('event: '))
    .map(one => {
      const [event = '', data = ''] = one.split('\n')
      return { event: event.slice('event: '.length), data: JSON.parse(data.slice('data: '.length)) }
    })

/**
 * A model that reasons unless it is asked not to, and takes no tools with that in chat completions.
 * @param toolsIn what its Responses answer
 */
export const takesToolsInResponses =
  (toolsIn: (asked: Asked) => ReturnType<typeof nativeResponse>): Behaviour =>
  (sink, asked, signal) => {
    if (isResponsesRequest(asked)) return responds(toolsIn(asked))(sink, asked, signal)
    const { tools, reasoning_effort: effort } = asked as { tools?: unknown; reasoning_effort?: string }
    const message = `Function tools with reasoning_effort are not supported for ${asked.model} in /v1/chat/completions. To use function tools, use /v1/responses or set reasoning_effort to 'none'.`
    const error = { message, type: 'invalid_request_error', param: 'reasoning_effort', code: null }
    const isRefused = tools !== undefined && effort !== 'none'
    const behaviour = isRefused ? refuses(400, { body: JSON.stringify({ error }) }) : says(['Hello'])
    return behaviour(sink, asked, signal)
  }
