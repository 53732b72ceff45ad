import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { messageResponse } from '#lib/http/dialects/anthropic-messages/reply.ts'
import { chatCompletionResponse } from '#lib/http/dialects/openai-chat/reply.ts'
import { responsesResponse } from '#lib/http/dialects/openai-responses/reply.ts'
import { responsesRequest } from '#lib/http/dialects/openai-responses/request.ts'
import { uiMessageStream } from '#lib/http/dialects/ui-message-stream/reply.ts'
import { uiChatCall } from '#lib/http/dialects/ui-message-stream/request.ts'
import type { RouteResponse } from '#lib/http/route-response.ts'
import { bytesOf, charactersOf } from '#lib/llm/events.ts'
import { usualBytes } from '#lib/llm/prompt-size.ts'
import { truncate } from '#lib/llm/truncate.ts'
import type { Call, Message, ReplyEvent } from '#lib/llm/types.ts'
import { NO_CONTEXT } from '#lib/responses/context.ts'
import { responsesBodyOrThrow } from '#lib/validation/openai-responses.ts'
import { anthropicExchange } from '../../support/anthropic-exchange.ts'
import { batches, collect, newCall, replyOf, text } from '../../support/calls.ts'
import { anthropicCall, bodyFor } from '../../support/dialect-calls.ts'
import { rawJson } from '../../support/raw-json.ts'

const CLOCK = { clock: systemClock, abort: () => {} }
const USER = { role: 'user', content: 'Hi' } as const
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }
const BLOCKS = [
  { type: 'thinking', thinking: 'Hm.', signature: 's1' },
  { type: 'redacted_thinking', data: 'AAAA' },
  { type: 'text', text: 'I look it up.' },
  { type: 'redacted_thinking', data: 'BBBB' },
  { type: 'thinking', thinking: 'So.', signature: 's2' },
  CALL,
]
const EVENTS: readonly ReplyEvent[] = [
  { type: 'reasoning-delta', text: 'Hm.', signature: 's1' },
  { type: 'reasoning-delta', text: '', redacted: 'AAAA' },
  ...text('I look it up.'),
  { type: 'reasoning-delta', text: '', redacted: 'BBBB' },
  { type: 'reasoning-delta', text: 'So.', signature: 's2' },
  { type: 'tool-call-delta', index: 0, id: 'toolu_1', name: 'look', arguments: '{}' },
  { type: 'finish', reason: 'tool_calls' },
]
const ASKED = { cache: 'default', fallback: true, maxTokens: 1_000 } as const
const RESULT: Message = { role: 'tool', toolCallId: 'toolu_1', content: '7' }

const reply = (events: readonly ReplyEvent[] = EVENTS) => replyOf(batches(events))

const textOf = async ({ stream, text: whole, json }: RouteResponse): Promise<string> =>
  stream ? await new Response(stream).text() : (whole?.body ?? JSON.stringify(json))

const dataOf = (stream: string) =>
  [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json))

const sentTo = async (messages: readonly Message[]) => {
  const { sent } = await anthropicExchange({ messages, parameters: { reasoningTokens: 2_000 } })
  return sent as Readonly<{ thinking?: object; messages: readonly Readonly<{ content: unknown }>[] }>
}

/** The blocks of the assistant's turn that Anthropic gets of a call. */
const turnOf = async ({ messages }: Call) => (await sentTo(messages)).messages[1]?.content

const responses = async (body: object) => {
  const sent = rawJson({ model: 'm', ...body })
  return responsesRequest(newCall(), await responsesBodyOrThrow(sent), sent, {
    model: 'm',
    cache: 'default',
    requestTimeoutMs: 1_000,
    context: NO_CONTEXT,
  })
}

describe('redacted thinking', () => {
  it('is read of a whole answer and of a stream, and sent back in its place', async () => {
    const whole = await anthropicExchange({}, { content: BLOCKS, stop_reason: 'tool_use' })
    const started = BLOCKS.map((block, index) => ({
      type: 'content_block_start',
      index,
      content_block: block,
    }))
    const ended = [{ type: 'message_delta', delta: { stop_reason: 'tool_use' } }, { type: 'message_stop' }]
    const stream = [...started, ...ended]
      .map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
      .join('')
    const streamed = await anthropicExchange({}, stream)
    for (const { answer } of [whole, streamed]) {
      const { text: content, reasoning, toolCalls } = answer
      const message: Message = { role: 'assistant', content, reasoning, toolCalls }
      expect((await sentTo([USER, message, RESULT])).messages[1]).toEqual({
        role: 'assistant',
        content: BLOCKS,
      })
    }
  })

  it('counts as reasoning that a number of tokens requires', async () => {
    const toolCalls = [{ id: 'toolu_1', name: 'look', arguments: '{}' }]
    const redacted: Message = {
      role: 'assistant',
      content: '',
      toolCalls,
      reasoning: [{ text: '', redacted: 'AAAA' }],
    }
    expect((await sentTo([USER, redacted, RESULT])).thinking).toMatchObject({ type: 'enabled' })
    const lost: Message = { role: 'assistant', content: '', toolCalls }
    expect((await sentTo([USER, lost, RESULT])).thinking).toBeUndefined()
  })

  it.each([false, true])('is a block of a message, stream: %s', async stream => {
    const call = newCall({ stream })
    const body = await textOf(await messageResponse(call, reply(), CLOCK))
    if (!stream) return expect(JSON.parse(body).content).toEqual(BLOCKS)
    const begun = dataOf(body).flatMap(({ type, content_block: block }) =>
      type === 'content_block_start' ? [block] : [],
    )
    expect(begun.map(({ type }) => type)).toEqual(BLOCKS.map(({ type }) => type))
    expect(begun[1]).toEqual(BLOCKS[1])
    expect(dataOf(body).filter(({ type }) => type === 'content_block_stop')).toHaveLength(BLOCKS.length)
  })

  it('comes back in its place from a client of messages whose body is written anew', async () => {
    const messages = [
      USER,
      { role: 'assistant', content: BLOCKS },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: '7' }] },
    ]
    const call = await anthropicCall(JSON.stringify({ model: 'm', max_tokens: 10, messages }))
    expect(await turnOf(call)).toEqual(BLOCKS)
    const elsewhere = bodyFor('openai-chat', call) + bodyFor('openai-responses', call)
    expect(elsewhere).not.toMatch(/AAAA|BBBB/)
  })

  it.each([false, true])('travels as an item of Responses, stream: %s', async stream => {
    const request = await responses({ input: 'Hi', stream })
    const options = { ...CLOCK, keepsAnswers: false, keep: async () => false }
    const body = await textOf(await responsesResponse(request, reply(), options))
    const { output } = stream ? dataOf(body).at(-1).response : JSON.parse(body)
    expect(output[1]).toMatchObject({ type: 'reasoning', summary: [], encrypted_content: 'redacted:AAAA' })
    const result = { type: 'function_call_output', call_id: 'toolu_1', output: '7' }
    const { call } = await responses({ input: [USER, ...output, result] })
    const sent = (await sentTo(call.messages)).messages
    const said = sent.filter(({ content }, at) => at > 0 && at < sent.length - 1 && content)
    expect(said.flatMap(({ content }) => content)).toEqual(BLOCKS)
    expect(bodyFor('openai-responses', call)).not.toContain('AAAA')
  })

  it('travels in the parts of useChat', async () => {
    const stream = await textOf(
      uiMessageStream(newCall({ stream: true }), reply(), { ...CLOCK, continues: undefined }),
    )
    const ends = dataOf(stream).filter(({ type }) => type === 'reasoning-end')
    expect(ends.map(({ providerMetadata }) => providerMetadata)).toEqual([
      { parley: { signature: 's1' } },
      { parley: { redacted: 'AAAA' } },
      { parley: { redacted: 'BBBB' } },
      { parley: { signature: 's2' } },
    ])
    const thought = (said: string, parley: object) => ({
      type: 'reasoning',
      text: said,
      providerMetadata: { parley },
    })
    const parts = [
      thought('Hm.', { signature: 's1' }),
      thought('', { redacted: 'AAAA' }),
      { type: 'text', text: 'I look it up.' },
      thought('', { redacted: 'BBBB' }),
      thought('So.', { signature: 's2' }),
      { type: 'tool-look', toolCallId: 'toolu_1', state: 'output-available', input: {}, output: 7 },
    ]
    const messages = [
      { role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', parts },
    ] as const
    const defaults = { model: 'm', requestTimeoutMs: 1_000, maxResponseBytes: 1_000 }
    const body = { messages: messages.map(message => ({ ...message, parts: [...message.parts] })) }
    expect(await turnOf(uiChatCall(newCall(), { ...body, ...ASKED }, defaults))).toEqual(BLOCKS)
  })

  it.each([false, true])('is not shown by chat completions, stream: %s', async stream => {
    const call = newCall({ stream })
    const events = EVENTS.filter(event => event.type !== 'reasoning-delta' || event.redacted !== undefined)
    const body = await textOf(
      await chatCompletionResponse(call, reply(events), { ...CLOCK, wantsUsage: false }),
    )
    expect(body).not.toMatch(/AAAA|reasoning_content/)
  })

  it('counts in the size of an answer and of a prompt', async () => {
    const redacted: ReplyEvent = { type: 'reasoning-delta', text: '', redacted: 'A'.repeat(100) }
    expect([bytesOf(redacted), charactersOf(redacted)]).toEqual([100, 100])
    const finish: ReplyEvent = { type: 'finish', reason: 'stop' }
    const cut = await truncate()(newCall({ maxResponseBytes: 99 }), async () => reply([redacted, finish]))
    expect(await collect(cut)).toEqual([{ type: 'finish', reason: 'length', truncated: true }])
    const reasoning = [{ text: '', redacted: 'A'.repeat(100) }]
    const message: Message = { role: 'assistant', content: '', reasoning }
    expect(usualBytes(newCall({ messages: [message] }))).toBe(100)
  })
})
