import { collect } from '#lib/llm/events.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { Call } from '#lib/llm/types.ts'
import { newAttempt, newCall } from './calls.ts'
import { providerDeps } from './provider-deps.ts'
import { answering } from './wire-fixtures.ts'

/** A message as Anthropic answers. */
export const ANTHROPIC_MESSAGE = {
  content: [{ type: 'text', text: 'ok' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 1, output_tokens: 1 },
}

/**
 * What Anthropic is sent for a call, and the answer that is made of its response.
 *
 * @param response a message, or the text of a stream of events
 */
export const anthropicExchange = async (
  changes: Partial<Call>,
  response: unknown = ANTHROPIC_MESSAGE,
  model = 'claude-sonnet-4-5',
) => {
  let sent: unknown
  const isStream = typeof response === 'string'
  const bytes = Buffer.from(isStream ? response : JSON.stringify(response))
  const post = answering(200, isStream ? 'text/event-stream' : 'application/json', [bytes])
  const provider = anthropic.create(
    providerDeps({
      post: (address, json, signal) => {
        sent = JSON.parse(String(json))
        return post(address, json, signal)
      },
    }),
  )
  const target = { provider: 'anthropic', model, name: model }
  const reply = await provider.ask(newCall({ stream: isStream, ...changes }), target, newAttempt())
  return { sent, head: reply.head, answer: await collect(reply), usage: await reply.usage }
}
