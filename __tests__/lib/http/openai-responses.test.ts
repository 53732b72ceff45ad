import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { chatCompletionCall } from '#lib/http/dialects/openai-chat/request.ts'
import { responsesResponse } from '#lib/http/dialects/openai-responses/reply.ts'
import { type ResponsesRequest, responsesRequest } from '#lib/http/dialects/openai-responses/request.ts'
import { newReplyId } from '#lib/llm/message.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { chatRequest } from '#lib/llm/providers/shared/chat-request.ts'
import type { Call, ReplyEvent } from '#lib/llm/types.ts'
import { chatBodyOrThrow } from '#lib/validation/openai-chat.ts'
import { responsesBodyOrThrow } from '#lib/validation/openai-responses.ts'
import { batches, collect, newAttempt, newCall, replyOf, TARGET } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { rawJson } from '../../support/raw-json.ts'
import {
  callItem,
  frame,
  messageItem,
  nativeEvents,
  nativeResponse,
  reasoningItem,
} from '../../support/responses-behaviour.ts'
import { answering } from '../../support/wire-fixtures.ts'

const OPTIONS = { model: 'fake/model', cache: 'default', requestTimeoutMs: 1_000 } as const
const NO_CONTEXT = { earlier: [], items: new Map(), responseIds: [] }

const responsesOf = async (body: object): Promise<ResponsesRequest> => {
  const sent = rawJson(body)
  return responsesRequest(newCall(), await responsesBodyOrThrow(sent), sent, {
    ...OPTIONS,
    context: NO_CONTEXT,
  })
}

const chatOf = async (body: object): Promise<Call> => {
  const sent = rawJson(body)
  const { raw: _, ...call } = await chatCompletionCall(newCall(), await chatBodyOrThrow(sent), sent, OPTIONS)
  return call
}

const sent = (call: Call): unknown => chatRequest(call, TARGET, { provider: 'fake' }, new Set())

const name = fc.stringMatching(/^[a-z]{1,8}$/)
const text = fc.string({ minLength: 1 })
const toolCall = fc.record({ name, input: fc.json() })
const parts = fc.array(
  fc.oneof(
    text.map(value => ({ chat: { type: 'text', text: value }, item: { type: 'input_text', text: value } })),
    fc.constant({
      chat: { type: 'image_url', image_url: { url: 'https://x/i.png', detail: 'low' } },
      item: { type: 'input_image', image_url: 'https://x/i.png', detail: 'low' },
    }),
  ),
  { minLength: 2, maxLength: 4 },
)

type Turn = Readonly<{ chat: object[]; items: object[] }>

/** One turn, as messages and as items. */
const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.tuple(fc.constantFrom('user', 'system', 'developer'), text).map(([role, content]) => ({
    chat: [{ role, content }],
    items: [{ role, content }],
  })),
  fc.tuple(fc.array(text, { minLength: 1, maxLength: 2 }), text).map(([answers, user]) => ({
    chat: [...answers.map(content => ({ role: 'assistant', content })), { role: 'user', content: user }],
    items: [
      ...answers.map(content => ({
        type: 'message',
        role: 'assistant',
        content: [{ type: 'output_text', text: content }],
      })),
      { role: 'user', content: user },
    ],
  })),
  parts.map(found => ({
    chat: [{ role: 'user', content: found.map(({ chat }) => chat) }],
    items: [{ type: 'message', role: 'user', content: found.map(({ item }) => item) }],
  })),
  fc
    .tuple(fc.option(text), fc.array(toolCall, { minLength: 1, maxLength: 3 }), text)
    .map(([said, calls, user]) => {
      const ids = calls.map((_, index) => `call_${index}`)
      return {
        chat: [
          {
            role: 'assistant',
            content: said,
            tool_calls: calls.map((one, index) => ({
              id: ids[index],
              type: 'function',
              function: { name: one.name, arguments: one.input },
            })),
          },
          ...ids.map(id => ({ role: 'tool', tool_call_id: id, content: `of ${id}` })),
          { role: 'user', content: user },
        ],
        items: [
          ...(said === null
            ? []
            : [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said }] }]),
          ...calls.map((one, index) => ({
            type: 'function_call',
            call_id: ids[index],
            name: one.name,
            arguments: one.input,
          })),
          ...ids.map(id => ({ type: 'function_call_output', call_id: id, output: `of ${id}` })),
          { role: 'user', content: user },
        ],
      }
    }),
)

const choice = fc.constantFrom(
  { chat: 'auto', item: 'auto' },
  { chat: 'required', item: 'required' },
  { chat: { type: 'function', function: { name: 'tool' } }, item: { type: 'function', name: 'tool' } },
  {
    chat: {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'tool' } }] },
    },
    item: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'tool' }] },
  },
)

const schema = { name: 'answer', schema: { type: 'object' }, strict: true }

describe('a request for Responses', () => {
  it('says to a chat upstream what the same request of chat completions says', async () => {
    const property = fc.asyncProperty(
      fc.array(turn, { minLength: 1, maxLength: 5 }),
      choice,
      fc.boolean(),
      fc.constantFrom('low', 'high'),
      async (turns, chosen, hasSchema, effort) => {
        const shared = { model: 'm', temperature: 0.5, top_p: 0.25, parallel_tool_calls: false, user: 'u' }
        const tool = { name: 'tool', description: 'd', parameters: { type: 'object' }, strict: true }
        const chat = await chatOf({
          ...shared,
          messages: turns.flatMap(one => one.chat),
          tools: [{ type: 'function', function: tool }],
          tool_choice: chosen.chat,
          max_completion_tokens: 9,
          reasoning_effort: effort,
          ...(hasSchema && { response_format: { type: 'json_schema', json_schema: schema } }),
        })
        const { call } = await responsesOf({
          ...shared,
          input: turns.flatMap(one => one.items),
          tools: [{ type: 'function', ...tool }],
          tool_choice: chosen.item,
          max_output_tokens: 9,
          reasoning: { effort },
          ...(hasSchema && { text: { format: { type: 'json_schema', ...schema } } }),
        })
        expect(sent(call)).toEqual(sent(chat))
      },
    )
    await fc.assert(property)
  })

  it('of 100,000 calls in a row becomes a call in seconds, not minutes', async () => {
    const calls = Array.from({ length: 100_000 }, (_, index) => ({
      type: 'function_call',
      call_id: `call_${index}`,
      name: 'f',
      arguments: '{}',
    }))
    const sent = { ...rawJson({ model: 'm', input: calls }), isLarge: true }
    const begunAt = performance.now()
    const body = await responsesBodyOrThrow(sent)
    const { call } = await responsesRequest(newCall(), body, sent, { ...OPTIONS, context: NO_CONTEXT })
    expect(performance.now() - begunAt).toBeLessThan(20_000)
    expect(call.messages).toHaveLength(1)
  })

  it('gives reasoning its vendor’s signature back, and to no other vendor a foreign one', async () => {
    const events: ReplyEvent[] = [
      { type: 'reasoning-delta', text: 'Hm', signature: 's1' },
      { type: 'tool-call-delta', index: 0, id: 'call_1', name: 'look', arguments: '{}' },
      { type: 'finish', reason: 'tool_calls' },
    ]
    const { output } = (await whole([events])) as { output: { encrypted_content?: string }[] }
    const assistantOf = async (items: object[]) =>
      (await responsesOf({ model: 'm', input: items })).call.messages.find(({ role }) => role === 'assistant')
    expect(await assistantOf(output)).toEqual({
      role: 'assistant',
      content: '',
      reasoning: [{ text: 'Hm', signature: 's1' }],
      toolCalls: [{ id: 'call_1', name: 'look', arguments: '{}' }],
    })
    const foreign = output.map(item => ({
      ...item,
      ...(item.encrypted_content && { encrypted_content: 'gAAA' }),
    }))
    expect(await assistantOf(foreign)).toMatchObject({ reasoning: [{ text: 'Hm' }] })
  })

  describe('for a vendor that has Responses', () => {
    const OWN_ID = `rs_${newReplyId().replace('chat_', '')}00`
    const user = { role: 'user', content: 'Hi' }
    const reasoning = { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm' }] }
    const theirs = { ...reasoning, id: `rs_${'0a'.repeat(25)}`, encrypted_content: 'gAAA' }
    const sentOf = async (body: object): Promise<string> => {
      const { call } = await responsesOf(body)
      const post = answering(200, 'application/json', [])
      const bodies: unknown[] = []
      const provider = openai.create(
        providerDeps({
          post: (request, content, signal) => {
            bodies.push(content)
            return post(request, content, signal)
          },
        }),
      )
      await provider.ask(call, TARGET, newAttempt()).catch(() => {})
      return String(bodies[0])
    }

    it.each([
      ['by its signature', { ...reasoning, id: 'rs_1', encrypted_content: 'signature:s1' }],
      ['by its id', { ...reasoning, id: OWN_ID }],
    ])('has no reasoning that the gateway wrote, which it is known %s', async (_, own) => {
      const body = { model: TARGET.model, store: false, input: [user, own, theirs, user] }
      expect(await sentOf(body)).toBe(JSON.stringify({ ...body, input: [user, theirs, user] }))
      const { call, input } = await responsesOf(body)
      expect(
        call.messages.flatMap(message => ('reasoning' in message ? message.reasoning : [])),
      ).toHaveLength(2)
      expect(JSON.parse(input)).toEqual(body.input)
    })

    it('is as it was written where all reasoning is the vendor’s', async () => {
      const body = { model: TARGET.model, input: [user, theirs, { ...reasoning, id: 'rs_00' }] }
      expect(await sentOf(body)).toBe(JSON.stringify(body))
    })
  })
})

const RESPONDING = {
  clock: { ...systemClock, now: () => 1_000 },
  abort: () => {},
  keepsAnswers: false,
  keep: async () => false,
}

const written = async (groups: ReplyEvent[][], stream: boolean) => {
  const request = await responsesOf({ model: 'm', input: 'Hi', stream })
  return responsesResponse(request, replyOf(batches(...groups)), RESPONDING)
}

const whole = async (groups: ReplyEvent[][]): Promise<unknown> => (await written(groups, false)).json

describe('a response that is translated', () => {
  it.each([
    ['flex', 'flex'],
    ['standard', undefined],
    [undefined, undefined],
  ])('names the service tier that answered, where the format has a name for it: %s', async (tier, named) => {
    const usage = { inputTokens: 1, outputTokens: 1, ...(tier && { serviceTier: tier }) }
    const reply = { ...replyOf(batches(REPLY)), usage: Promise.resolve(usage) }
    const { json } = await responsesResponse(
      await responsesOf({ model: 'm', input: 'Hi' }),
      reply,
      RESPONDING,
    )
    const response = new Map(Object.entries(json ?? {}))
    expect(response.get('service_tier')).toBe(named)
  })
})

const streamed = async (groups: ReplyEvent[][]): Promise<string> =>
  new Response((await written(groups, true)).stream ?? null).text()

const REPLY: ReplyEvent[] = [
  { type: 'reasoning-delta', text: 'Let me' },
  { type: 'reasoning-delta', text: ' think.' },
  { type: 'text-delta', text: 'I ' },
  { type: 'text-delta', text: 'look.' },
  { type: 'tool-call-delta', index: 0, id: 'call_a', name: 'look', arguments: '' },
  { type: 'tool-call-delta', index: 1, id: 'call_b', name: 'patch', arguments: '***', isCustom: true },
  { type: 'tool-call-delta', index: 0, arguments: '{}' },
  { type: 'text-delta', text: 'And…' },
  { type: 'refusal-delta', text: 'No.' },
  { type: 'finish', reason: 'tool_calls' },
]

describe('a reply', () => {
  it('makes the same events however its pieces arrive, and the whole response in the last one', async () => {
    const expected = await streamed([REPLY])
    const last = expected.split('\n\n').find(one => one.startsWith('event: response.completed'))
    const { response } = JSON.parse(last?.split('data: ')[1] ?? '{}')
    expect(await whole([REPLY])).toEqual(response)
    const cuts = fc.array(fc.integer({ min: 1, max: REPLY.length - 1 }))
    const property = fc.asyncProperty(cuts, async found => {
      const at = [0, ...new Set(found.toSorted((a, b) => a - b)), REPLY.length]
      const groups = at.slice(1).map((end, index) => REPLY.slice(at[index], end))
      expect(await streamed(groups)).toBe(expected)
    })
    await fc.assert(property, { numRuns: 50 })
  })
})

describe('a stream of Responses', () => {
  const response = nativeResponse('resp_1', [
    reasoningItem('rs_1'),
    messageItem('msg_1', 'Grüße 🎉'),
    callItem('fc_1', 'call_1', 'weather', '{"city":"Köln"}'),
    callItem('fc_2', 'call_2', 'weather', '{}'),
  ])
  const bytes = Buffer.from(nativeEvents(response).map(frame).join(''))
  const request = responsesOf({ model: 'm', input: 'Hi', stream: true })

  const read = async (pieces: Buffer[]) => {
    const { call } = await request
    const provider = openai.create(
      providerDeps({
        post: answering(200, 'text/event-stream', pieces),
      }),
    )
    const reply = await provider.ask({ ...call, signal: new AbortController().signal }, TARGET, newAttempt())
    return { events: await collect(reply), usage: await reply.usage }
  }

  /** What a client gets of a stream that fails with this error after some content. */
  const failingWith = async (error: object, members = ''): Promise<string> => {
    const asked = await request
    const written = nativeEvents(response).slice(0, 6).map(frame).join('')
    const failed = `event: response.failed\ndata: {"type":"response.failed","sequence_number":6, "response": {"id":"resp_1", "error":${JSON.stringify(error)}, "output":[{"text":"sk-secret"}],"usage":null${members}}}\n\n`
    const provider = openai.create(
      providerDeps({
        post: answering(200, 'text/event-stream', [Buffer.from(written + failed)]),
        redact: text => text.replaceAll('sk-secret', '***'),
      }),
    )
    const reply = await provider.ask(
      { ...asked.call, signal: new AbortController().signal },
      TARGET,
      newAttempt(),
    )
    const sent = await responsesResponse(asked, reply, RESPONDING)
    const text = await new Response(sent.stream ?? null).text()
    expect(text.startsWith(written)).toBe(true)
    return text.slice(written.length)
  }

  it.each([
    { code: 'context_length_exceeded', message: 'Your input exceeds the context window' },
    { code: 'invalid_prompt', message: 'Invalid prompt: it was flagged' },
    { code: 'server_error', message: 'boom' },
    { code: 'server_error', message: 'sk-secret broke' },
    { code: 'server_error', message: 'see https://host', details: { mail: 'sk-secret@b' } },
  ])('that fails ends with the upstream’s own event as it is written, without secrets: %o', async error => {
    const text = await failingWith(error, ',"x_unknown":1.0')
    const masked = JSON.stringify(error).replace('sk-secret', '***')
    expect(text).toBe(
      `event: response.failed\ndata: {"type":"response.failed","sequence_number":6, "response": {"id":"resp_1", "error":${masked}, "output":[{"text":"sk-secret"}],"usage":null,"x_unknown":1.0}}\n\n`,
    )
  })

  it.each([
    ['insufficient_quota', 'server_error'],
    ['rate_limit_exceeded', 'rate_limit_exceeded'],
  ])('that fails by the gateway’s own access has its words of that: %s', async (code, ours) => {
    const text = await failingWith({ code, message: 'Organization org-123 has used it up' })
    expect(text.match(/^event: .*$/gm)).toEqual(['event: response.failed'])
    expect(text).not.toContain('org-123')
    expect(text).toContain(`"error":{"code":"${ours}","message":"`)
  })

  it('gives the same events and usage however it is split', async () => {
    const expected = await read([bytes])
    expect(expected.usage).toEqual({
      inputTokens: 20,
      outputTokens: 9,
      cachedInputTokens: 8,
      reasoningTokens: 4,
    })
    expect(expected.events.filter(({ type }) => type !== 'wire')).toEqual([
      { type: 'reasoning-delta', text: 'Hm' },
      { type: 'text-delta', text: 'Gr' },
      { type: 'text-delta', text: 'üße 🎉' },
      { type: 'tool-call-delta', index: 0, id: 'call_1', name: 'weather', arguments: '' },
      { type: 'tool-call-delta', index: 0, arguments: '{"cit' },
      { type: 'tool-call-delta', index: 0, arguments: 'y":"Köln"}' },
      { type: 'tool-call-delta', index: 1, id: 'call_2', name: 'weather', arguments: '' },
      { type: 'tool-call-delta', index: 1, arguments: '{}' },
      { type: 'tool-call-delta', index: 1, arguments: '' },
      { type: 'finish', reason: 'tool_calls', raw: 'completed' },
    ])
    const cuts = fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 40 })
    const property = fc.asyncProperty(cuts, async found => {
      const at = [0, ...new Set(found.toSorted((a, b) => a - b)), bytes.length]
      expect(await read(at.slice(1).map((end, index) => bytes.subarray(at[index], end)))).toEqual(expected)
    })
    await fc.assert(property, { numRuns: 50 })
  })
})
