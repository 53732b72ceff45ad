import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { azureOpenai } from '#lib/llm/providers/azure-openai.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import type { Call, Message, Provider, RawRequest } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { collect, newAttempt, newCall } from '../../support/calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import {
  callItem,
  isResponsesRequest,
  messageItem,
  nativeResponse,
  reasoningItem,
  responds,
  takesToolsInResponses,
  withoutResponses,
} from '../../support/responses-behaviour.ts'
import { type Behaviour, refuses } from '../../support/upstream-behaviour.ts'

const MODEL = 'gpt-5.6-terra'
const HOUR_MS = 3_600_000
const WEATHER = { name: 'weather', parameters: { type: 'object' } }
const WITH_TOOLS: Partial<Call> = { parameters: { tools: [WEATHER] } }
const PATHS = { chat: '/v1/chat/completions', responses: '/v1/responses' }

const refusal = (message: string, param: string) =>
  JSON.stringify({ error: { message, type: 'invalid_request_error', param, code: null } })
const NO_CHAT = refusal(
  'This model is only supported in v1/responses and not in v1/chat/completions.',
  'model',
)

const ANSWER = nativeResponse('resp_1', [
  reasoningItem('rs_1'),
  messageItem('msg_1', 'Let me see.'),
  callItem('fc_1', 'call_1', 'weather', '{"city":"Rom"}'),
])
const chatWithoutTools = takesToolsInResponses(() => ANSWER)
const withResponses =
  (chat: Behaviour): Behaviour =>
  (response, asked, signal) =>
    (isResponsesRequest(asked) ? responds(ANSWER) : chat)(response, asked, signal)

let upstream: FakeUpstream
let clock: FakeClock
beforeEach(async () => {
  upstream = await FakeUpstream.start()
  clock = new FakeClock()
})
afterEach(() => upstream.stop())

const providerOf = (definition: ProviderDefinition): Provider =>
  definition.create(
    providerDeps({
      baseUrl: upstream.baseUrl,
      post: postOver(upstreamAgent()),
      clock,
    }),
  )

const ask = async (provider: Provider, changes: Partial<Call>) => {
  const reply = await provider.ask(
    newCall(changes),
    { provider: provider.id, model: MODEL, name: MODEL },
    newAttempt(),
  )
  const events = await collect(reply)
  const { warnings, omitted } = reply.head
  return { events, warnings, omitted, usage: await reply.usage }
}
const paths = (): readonly string[] => upstream.calls.map(({ path }) => path)
const lastBody = () => JSON.parse(upstream.calls.at(-1)?.body ?? '{}')

const rawOf = (format: RawRequest['format'], json: string): RawRequest => ({
  format,
  json,
  members: membersOf(json),
})

describe('a model that takes tools only over Responses', () => {
  it.each([
    [openai, false],
    [openai, true],
    [azureOpenai, true],
  ])(
    'is asked there in the same attempt, and answers with its calls: %o, streamed: %s',
    async (definition, stream) => {
      upstream.usually(chatWithoutTools)
      const { events, usage, omitted } = await ask(providerOf(definition), { ...WITH_TOOLS, stream })
      expect(paths()).toEqual([PATHS.chat, PATHS.responses])
      expect(events.filter(({ type }) => type === 'wire')).toEqual([])
      expect(events).toContainEqual({ type: 'reasoning-delta', text: 'Hm' })
      const text = events.flatMap(event => (event.type === 'text-delta' ? event.text : []))
      expect(text.join('')).toBe('Let me see.')
      const calls = events.flatMap(event => (event.type === 'tool-call-delta' ? [event] : []))
      expect(calls[0]).toMatchObject({ index: 0, id: 'call_1', name: 'weather' })
      expect(calls.map(call => call.arguments).join('')).toBe('{"city":"Rom"}')
      expect(events.at(-1)).toMatchObject({ type: 'finish', reason: 'tool_calls' })
      expect(usage).toMatchObject({ inputTokens: 20, outputTokens: 9, reasoningTokens: 4 })
      expect(omitted).toBeUndefined()
    },
  )

  it('is asked there at once for an hour, and for answers without tools as before', async () => {
    upstream.usually(chatWithoutTools)
    const provider = providerOf(openai)
    await ask(provider, WITH_TOOLS)
    await ask(provider, WITH_TOOLS)
    await ask(provider, {})
    expect(paths()).toEqual([PATHS.chat, PATHS.responses, PATHS.responses, PATHS.chat])
    await clock.advance(HOUR_MS)
    await ask(provider, WITH_TOOLS)
    expect(paths().slice(4)).toEqual([PATHS.chat, PATHS.responses])
  })

  it('gets the whole conversation, its tools and its parameters', async () => {
    upstream.usually(chatWithoutTools)
    const messages: Message[] = [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Where is this?' },
          { type: 'image', url: 'https://x/i.png', detail: 'low' },
          { type: 'file', url: 'data:application/pdf;base64,QQ==' },
        ],
      },
      {
        role: 'assistant',
        content: 'I look.',
        reasoning: [{ text: 'Hm', signature: 'of another vendor' }],
        toolCalls: [
          { id: 'call_1', name: 'weather', arguments: '{"city":"Rom"}' },
          { id: 'call_2', name: 'code', arguments: 'print(1)', isCustom: true },
        ],
      },
      { role: 'tool', toolCallId: 'call_1', content: '30 degrees' },
      { role: 'tool', toolCallId: 'call_2', content: [{ type: 'image', url: 'data:image/png;base64,QQ==' }] },
      { role: 'user', content: 'Well?' },
    ]
    const grammar = { definition: 'start: "a"', syntax: 'lark' }
    await ask(providerOf(openai), {
      messages,
      maxOutputTokens: 5,
      parameters: {
        tools: [
          { ...WEATHER, description: 'The weather' },
          { name: 'now' },
          { name: 'code', custom: { format: { type: 'grammar', grammar } } },
        ],
        toolChoice: { type: 'allowed', mode: 'required', names: ['weather', 'code'] },
        parallelToolCalls: false,
        responseFormat: {
          type: 'json-schema',
          name: 'answer',
          schema: { type: 'object', additionalProperties: false },
          strict: true,
        },
        reasoningEffort: 'low',
        user: 'u',
      },
    })
    const empty = { type: 'object', properties: {} }
    expect(lastBody()).toEqual({
      model: MODEL,
      input: [
        { type: 'message', role: 'system', content: 'Be brief.' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Where is this?' },
            { type: 'input_image', image_url: 'https://x/i.png', detail: 'low' },
            { type: 'input_file', filename: 'document.pdf', file_data: 'data:application/pdf;base64,QQ==' },
          ],
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'I look.' }] },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Rom"}' },
        { type: 'custom_tool_call', call_id: 'call_2', name: 'code', input: 'print(1)' },
        { type: 'function_call_output', call_id: 'call_1', output: '30 degrees' },
        {
          type: 'custom_tool_call_output',
          call_id: 'call_2',
          output: [{ type: 'input_image', image_url: 'data:image/png;base64,QQ==', detail: 'auto' }],
        },
        { type: 'message', role: 'user', content: 'Well?' },
      ],
      max_output_tokens: 16,
      tools: [
        { type: 'function', name: 'weather', description: 'The weather', parameters: empty, strict: false },
        { type: 'function', name: 'now', parameters: empty, strict: false },
        { type: 'custom', name: 'code', format: { type: 'grammar', ...grammar } },
      ],
      tool_choice: {
        type: 'allowed_tools',
        mode: 'required',
        tools: [
          { type: 'function', name: 'weather' },
          { type: 'custom', name: 'code' },
        ],
      },
      parallel_tool_calls: false,
      text: {
        format: {
          type: 'json_schema',
          name: 'answer',
          schema: { type: 'object', additionalProperties: false },
          strict: true,
        },
      },
      reasoning: { effort: 'low' },
      user: 'u',
      store: false,
    })
  })

  it('names what Responses do not have by the client’s names, or refuses it where the client is strict', async () => {
    upstream.usually(chatWithoutTools)
    const raw = rawOf(
      'anthropic-messages',
      '{"model":"m","stop_sequences":["END"],"top_k":3,"temperature":0.5}',
    )
    const call = { ...WITH_TOOLS, raw, temperature: 0.5 }
    const asked = { ...call, parameters: { ...call.parameters, stop: ['END'], topK: 3 } }
    const { omitted, warnings } = await ask(providerOf(openai), asked)
    expect(omitted).toEqual(['top_k', 'stop_sequences', 'temperature'])
    expect(warnings).toContain('This model takes no stop_sequences; it was not sent.')
    await expect(ask(providerOf(openai), { ...asked, strict: true })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('keeps its refusal for a chat client whose own body passes on', async () => {
    upstream.usually(chatWithoutTools)
    const raw = rawOf('openai-chat', JSON.stringify({ model: MODEL, messages: [], tools: [] }))
    await expect(ask(providerOf(openai), { ...WITH_TOOLS, raw })).rejects.toMatchObject({
      refusal: { status: 400, param: 'reasoning_effort' },
    })
    expect(paths()).toEqual([PATHS.chat])
  })
})

it('a model that has no chat completions at all is asked over Responses, with and without tools', async () => {
  upstream.usually(withResponses(refuses(404, { body: NO_CHAT })))
  const provider = providerOf(openai)
  await ask(provider, {})
  await ask(provider, WITH_TOOLS)
  expect(paths()).toEqual([PATHS.chat, PATHS.responses, PATHS.responses])
})

describe('where there are no Responses, a model that takes tools only without reasoning', () => {
  it.each([[openai], [openrouter]])(
    'is asked not to reason, for an hour from its first refusal on: %o',
    async definition => {
      upstream.usually(withoutResponses(chatWithoutTools))
      const provider = providerOf(definition)
      const { events, omitted, warnings } = await ask(provider, WITH_TOOLS)
      expect(events).toContainEqual({ type: 'text-delta', text: 'Hello' })
      expect(lastBody()).toMatchObject({ reasoning_effort: 'none', tools: [{ type: 'function' }] })
      expect(omitted).toBeUndefined()
      expect(warnings).toContain('This model takes tools only without reasoning; it did not reason.')
      const before = upstream.calls.length
      await ask(provider, WITH_TOOLS)
      await ask(provider, {})
      expect(upstream.calls.length - before).toBe(2)
      expect(lastBody()).not.toHaveProperty('reasoning_effort')
      await clock.advance(HOUR_MS)
      await ask(provider, WITH_TOOLS)
      expect(upstream.calls.length - before).toBeGreaterThan(3)
    },
  )

  it('says that the effort which the client asked for was left out, or refuses it where the client is strict', async () => {
    upstream.usually(chatWithoutTools)
    const asked = { parameters: { tools: [WEATHER], reasoningEffort: 'high' } }
    const { omitted } = await ask(providerOf(openrouter), asked)
    expect(omitted).toEqual(['reasoning_effort'])
    await expect(ask(providerOf(openrouter), { ...asked, strict: true })).rejects.toMatchObject({
      details: [{ path: 'reasoning_effort' }],
    })
  })
})
