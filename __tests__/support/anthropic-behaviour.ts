import { type Behaviour, sends } from './upstream-behaviour.ts'

/** One event of Anthropic's streams. */
export type MessageEvent = Readonly<{ type: string; [member: string]: unknown }>

export const USAGE = {
  input_tokens: 21,
  cache_creation_input_tokens: 248,
  cache_read_input_tokens: 1_800,
  cache_creation: { ephemeral_5m_input_tokens: 200, ephemeral_1h_input_tokens: 48 },
  output_tokens: 40,
  service_tier: 'standard',
}

const head = { id: 'msg_01fake', type: 'message', role: 'assistant', model: 'claude-fake' }

/** A whole message of these blocks. */
export const message = (content: readonly object[], reason = 'end_turn') => ({
  ...head,
  content,
  stop_reason: reason,
  stop_sequence: null,
  usage: USAGE,
})

export const sseOf = (...events: readonly MessageEvent[]): string =>
  events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

export const started: MessageEvent = {
  type: 'message_start',
  message: {
    ...head,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...USAGE, output_tokens: 1 },
  },
}

/** One block of a stream. */
export const block = (
  index: number,
  begun: object,
  ...deltas: readonly object[]
): readonly MessageEvent[] => [
  { type: 'content_block_start', index, content_block: begun },
  ...deltas.map(delta => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
]

export const ended = (reason = 'end_turn'): readonly MessageEvent[] => [
  {
    type: 'message_delta',
    delta: { stop_reason: reason, stop_sequence: null },
    usage: { output_tokens: 40 },
  },
  { type: 'message_stop' },
]

/** Answers with this message, or with these events in one of Anthropic's streams. */
export const answers = (whole: object, events: readonly MessageEvent[]): Behaviour => {
  const stream = sends(events.map(event => sseOf(event)))
  const json = sends([JSON.stringify(whole)], { type: 'application/json' })
  return (response, asked, signal) => (asked.stream ? stream : json)(response, asked, signal)
}

export const texts = (...pieces: readonly string[]): Behaviour =>
  answers(message([{ type: 'text', text: pieces.join('') }]), [
    started,
    { type: 'ping' },
    ...block(0, { type: 'text', text: '' }, ...pieces.map(text => ({ type: 'text_delta', text }))),
    ...ended(),
  ])
