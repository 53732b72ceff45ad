import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { chatCompletionResponse } from '#lib/http/dialects/openai-chat/reply.ts'
import { chatCompletionCall } from '#lib/http/dialects/openai-chat/request.ts'
import type { RouteResponse } from '#lib/http/route-response.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { compatible } from '#lib/llm/providers/openai-compatible.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import { chatWarnings } from '#lib/llm/providers/shared/chat-request.ts'
import type { Call } from '#lib/llm/types.ts'
import { openAiChatBody } from '#lib/validation/openai-chat.ts'
import { newAttempt, newCall, TARGET } from '../../support/calls.ts'
import { bodyFor } from '../../support/dialect-calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { rawJson } from '../../support/raw-json.ts'
import { answering, fixturesOf, splitAt } from '../../support/wire-fixtures.ts'

const SSE = 'text/event-stream'
const JSON_TYPE = 'application/json'
/** The time in chunks that are written here. */
const CLOCK = { ...systemClock, now: () => 1_800_000_000_000 }

/** The call that a body of `POST /v1/chat/completions` makes. */
const callOf = async (fields: object): Promise<Call> => {
  const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields }
  return chatCompletionCall(newCall(), openAiChatBody.parse(body), rawJson(body), {
    model: 'm',
    cache: 'default',
    requestTimeoutMs: 1_000,
  })
}

const textOf = async ({ stream, text, json }: RouteResponse): Promise<string> =>
  stream ? await new Response(stream).text() : (text?.body ?? JSON.stringify(json))

/** What a client gets where the vendor answers with these bytes. */
const given = async (
  definition: ProviderDefinition,
  type: string,
  pieces: readonly Buffer[],
  fields: object = {},
  wantsUsage = true,
): Promise<string> => {
  const call = await callOf({ stream: type === SSE, ...fields })
  const provider = definition.create(
    providerDeps({
      post: answering(200, type, pieces),
      clock: CLOCK,
    }),
  )
  const target = { provider: definition.id, model: 'model', name: `${definition.id}/model` }
  const reply = await provider.ask(call, target, newAttempt())
  return textOf(await chatCompletionResponse(call, reply, { clock: CLOCK, abort: () => {}, wantsUsage }))
}

describe('what only a vendor of the format knows', () => {
  const HISTORY = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } },
    { role: 'function', name: 'look', content: null },
  ]
  const CALLED = [
    { id: 'abcdefghi', type: 'function', function: { name: 'look', arguments: { city: 'Rom' } } },
  ]

  it.each([
    { messages: HISTORY },
    { tool_choice: 'any', tools: [{ type: 'function', function: { name: 'look' } }] },
    { messages: [{ role: 'assistant', content: '', tool_calls: CALLED }] },
    { max_tokens: -1 },
    { max_completion_tokens: 0 },
    { temperature: 2.5 },
    { temperature: -1 },
  ])('passes on for the vendor to judge, without a warning: %o', async fields => {
    const call = await callOf(fields)
    const body = { model: TARGET.model, messages: [{ role: 'user', content: 'Hi' }], ...fields }
    expect(JSON.parse(bodyFor('openai-chat', call))).toMatchObject(body)
    expect(chatWarnings(call, TARGET, { provider: 'vllm' }, new Set(), [])).toEqual([])
  })

  it.each([
    ['max_tokens', { max_tokens: -1 }, 'must be at least 1'],
    ['max_completion_tokens', { max_completion_tokens: 0, max_tokens: 5 }, 'must be at least 1'],
    ['temperature', { temperature: 2.5 }, 'must be from 0 to 2'],
    ['temperature', { temperature: -1 }, 'must be from 0 to 2'],
  ])('is refused where it is translated: %s', async (path, fields, message) => {
    const call = await callOf(fields)
    for (const format of ['anthropic-messages', 'openai-responses'] as const)
      expect(() => bodyFor(format, call)).toThrow(
        expect.objectContaining({ code: 'INVALID_INPUT', details: [{ path, message }] }),
      )
  })

  it('leaves budgets no negative number of tokens', async () => {
    expect((await callOf({ max_tokens: -1 })).maxOutputTokens).toBeUndefined()
    expect((await callOf({ max_tokens: 7 })).maxOutputTokens).toBe(7)
    expect((await callOf({ max_tokens: 7, max_completion_tokens: 9 })).maxOutputTokens).toBe(9)
  })

  it('is understood where it says the same as another form', async () => {
    const tools = [{ type: 'function', function: { name: 'look' } }]
    const call = await callOf({
      tools,
      tool_choice: 'any',
      messages: [{ role: 'assistant', content: '', tool_calls: CALLED }],
    })
    const sent = JSON.parse(bodyFor('anthropic-messages', call))
    expect(sent.tool_choice).toEqual({ type: 'any' })
    expect(sent.messages[0].content).toMatchObject([{ name: 'look', input: { city: 'Rom' } }])
  })

  it.each([
    { temperature: 'warm' },
    { max_tokens: 1.5 },
    { tool_choice: 'some' },
    { messages: [{ role: 'assistant', tool_calls: [{ id: 'a', function: { name: 'f', arguments: 5 } }] }] },
    { messages: [{ role: 'user', content: null }] },
  ])('is not a value of another type: %o', async fields => {
    await expect(callOf(fields)).rejects.toThrow()
  })
})

describe('a stream’s usage', () => {
  const USAGE = '"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'
  const chunk = (members: string): string => `data: {"id":"x", ${members}}\n\n`
  const said = chunk('"choices":[{"index":0,"delta":{"content":"the \\"usage\\": 1"}}]')
  const last = '"choices":[{"index":0,"delta":{"content":"usage"},"finish_reason":"stop"}]'
  const done = 'data: [DONE]\n\n'

  it.each([
    ['beside the last choice', chunk(`${last} , ${USAGE}`)],
    ['before it', chunk(`${USAGE}, ${last}`)],
    ['null before it', chunk(`"usage":null, ${last}`)],
    ['in a chunk without choices', chunk(last) + chunk(USAGE)],
    ['in a chunk whose choices are null', chunk(last) + chunk(`"choices":null,${USAGE}`)],
    ['in a chunk whose choices are empty', chunk(last) + chunk(`"choices":[],${USAGE}`)],
  ])('does not reach a client that did not ask for it, and every other byte does: %s', async (_, sent) => {
    const bytes = [Buffer.from(said + sent + done)]
    expect(await given(compatible, SSE, bytes, {}, false)).toBe(said + chunk(last) + done)
    const isBesideChoices = sent.includes(last) && sent.includes(USAGE) && !sent.includes(chunk(last))
    const whole = await given(compatible, SSE, bytes)
    expect(whole.startsWith(said + (isBesideChoices ? chunk(last) : sent))).toBe(true)
  })
})

describe('chunks that are written beside those of the upstream', () => {
  const HEAD = { id: 'up_1', created: 7, model: 'up-model', system_fingerprint: 'fp_1' }
  const USAGE = '{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4,"x_cost":1.0}'
  const frameOf = (json: string): string => `data: ${json}\n\n`
  const chunk = (delta: object, reason: string | null = null): string =>
    JSON.stringify({ ...HEAD, choices: [{ index: 0, delta, finish_reason: reason }] })
  const withUsage = (json: string): string => `${json.slice(0, -1)},"usage":${USAGE}}`
  const SAID = chunk({ role: 'assistant', content: 'Hi' })
  const END = chunk({}, 'stop')
  const OWN_CHUNK = withUsage(JSON.stringify({ ...HEAD, choices: [] }))
  const DONE = 'data: [DONE]\n\n'
  const sends = async (...chunks: readonly string[]): Promise<string> =>
    given(compatible, SSE, [Buffer.from(`${chunks.map(frameOf).join('')}${DONE}`)])

  it.each<[string, readonly string[]]>([
    ['an end that the upstream does not name', [SAID]],
    ['a usage that it does not send', [SAID, END]],
    ['one that comes beside its last choice', [SAID, withUsage(END)]],
    ['after a first chunk of Azure’s, without an id', ['{"id":"","model":"","choices":[]}', SAID]],
  ])('have their id, model and time: %s', async (_, sent) => {
    const written = chunksIn(await sends(...sent)).slice(sent[0] === SAID ? 0 : 1)
    expect(written.length).toBeGreaterThan(1)
    for (const one of written) expect(one).toMatchObject(HEAD)
    expect(written.filter(one => one.usage)).toEqual([expect.objectContaining({ choices: [] })])
  })

  it('move a usage from beside the last choice, as it is written', async () => {
    const text = await sends(SAID, withUsage(END))
    expect(text.startsWith(frameOf(SAID) + frameOf(END))).toBe(true)
    expect(chunksIn(text).at(-1)).toEqual({
      ...JSON.parse(OWN_CHUNK),
      object: 'chat.completion.chunk',
    })
    expect(text).toContain(`"usage":${USAGE}}`)
  })

  it.each<[string, readonly string[]]>([
    ['with each choice, and alone at the end', [withUsage(SAID), withUsage(END), OWN_CHUNK]],
    ['alone, and before the end', [OWN_CHUNK, SAID, withUsage(END)]],
  ])('are none where the upstream gives its usage %s', async (_, sent) => {
    expect(await sends(...sent)).toBe(sent.map(frameOf).join('') + DONE)
  })

  it('do not keep the last choice of a stream that fails after it', async () => {
    const error = '{"error":{"message":"broke","code":500}}'
    const text = await sends(SAID, withUsage(END), error)
    expect(text.startsWith(frameOf(SAID) + frameOf(withUsage(END)))).toBe(true)
    expect(text).toContain('"error"')
  })
})

type WireCall = { index?: number; id?: string; function: { name?: string; arguments: string } }

type Chunk = Readonly<{
  id: string
  created: number
  model: string
  system_fingerprint?: string
  choices: readonly Readonly<{
    delta: Readonly<{ role?: string; content?: string; tool_calls?: readonly WireCall[] }>
    finish_reason: string | null
  }>[]
  usage?: Readonly<Record<string, unknown>> | null
}>

/** The chunks of a stream, without its end mark. */
const chunksIn = (text: string): Chunk[] =>
  text
    .split('\n\n')
    .filter(line => line.startsWith('data: {'))
    .map(line => JSON.parse(line.slice('data: '.length)))

describe('a stream for OpenAI’s clients', () => {
  it.each([
    ['refusal', 'content_filter'],
    ['end_turn', 'stop'],
    ['max_tokens', 'length'],
  ])('begins with a role also where it is empty: %s', async (reason, expected) => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] }
    const sent = [
      { type: 'message_start', message: { ...message, usage: { input_tokens: 1, output_tokens: 0 } } },
      { type: 'message_delta', delta: { stop_reason: reason }, usage: { output_tokens: 1 } },
      { type: 'message_stop' },
    ].map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    const chunks = chunksIn(await given(anthropic, SSE, [Buffer.from(sent.join(''))], {}, false))
    const choices = chunks.flatMap(chunk => chunk.choices)
    expect(choices.map(({ delta, finish_reason: ended }) => [delta.role, ended])).toEqual([
      ['assistant', null],
      [undefined, expected],
    ])
  })

  it.each(PROVIDERS.map(definition => [definition.id, definition] as const))(
    'is the same however the one of %s is split',
    async (id, definition) => {
      const body = fixturesOf(id).get('stream') ?? Buffer.from(`no stream of ${id}`)
      const whole = await given(definition, SSE, [body])
      expect(whole).toContain('data: [DONE]\n')
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), async cuts => {
          expect(await given(definition, SSE, splitAt(body, cuts))).toBe(whole)
        }),
        { numRuns: 30 },
      )
    },
  )
})

const named = (name: string, json: unknown, more: object = {}) => ({
  ...more,
  function: { name, arguments: json },
})

/** The tool calls of a whole answer that has these. */
const wholeCalls = async (sent: readonly object[]): Promise<WireCall[]> => {
  const message = { role: 'assistant', content: null, tool_calls: sent }
  const body = {
    id: 'a',
    object: 'chat.completion',
    choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
  }
  const answer = await given(compatible, JSON_TYPE, [Buffer.from(JSON.stringify(body))])
  return JSON.parse(answer).choices[0].message.tool_calls
}

/** The fragments of tool calls in a stream whose chunks have these. */
const streamedCalls = async (...chunks: readonly (readonly object[])[]): Promise<WireCall[]> => {
  const choice = (delta: object, reason: string | null = null) =>
    `data: ${JSON.stringify({ id: 'a', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
  const body = [
    ...chunks.map(calls => choice({ tool_calls: calls })),
    choice({}, 'tool_calls'),
    'data: [DONE]\n\n',
  ]
  const text = await given(compatible, SSE, [Buffer.from(body.join(''))])
  return chunksIn(text).flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? [])
}

describe('the tool calls of a vendor for OpenAI’s clients', () => {
  const LONG = 'x'.repeat(60)

  it('that come without ids and indexes stay apart, whole', async () => {
    const calls = await wholeCalls([named('one', '{"a":1}'), named('one', '{"a":1}'), named('two', '')])
    expect(calls.map(({ function: called }) => called.name)).toEqual(['one', 'one', 'two'])
    expect(calls.map(({ function: called }) => called.arguments)).toEqual(['{"a":1}', '{"a":1}', ''])
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3)
  })

  it.each<[string, readonly object[][]]>([
    ['in one chunk', [[named('one', '{"a":1}'), named('two', '{"b":2}')]]],
    ['in a chunk each', [[named('one', '{"a":1}')], [named('two', '{"b":2}')]]],
    [
      'all with the index 0, and ids of their own',
      [[named('one', '{"a":1}', { index: 0, id: 'x' })], [named('two', '{"b":2}', { index: 0, id: 'y' })]],
    ],
    [
      'all with the index 0, and no ids',
      [[named('one', '{"a":1}', { index: 0 })], [named('two', '{"b":2}', { index: 0 })]],
    ],
  ])('that come without usable indexes stay apart, streamed %s', async (_, chunks) => {
    const calls = await streamedCalls(...chunks)
    expect(calls.map(({ index, function: called }) => [index, called.name, called.arguments])).toEqual([
      [0, 'one', '{"a":1}'],
      [1, 'two', '{"b":2}'],
    ])
  })

  it('that has its name in each fragment stays one', async () => {
    const calls = await streamedCalls(
      [named('one', '{"a"', { index: 0 })],
      [named('one', ':1}', { index: 0 })],
      [named('one', '', { index: 0 })],
    )
    expect(calls.map(({ function: called }) => called.arguments).join('')).toBe('{"a":1}')
    expect(calls.filter(({ id }) => id !== undefined)).toHaveLength(1)
    expect(new Set(calls.map(({ index }) => index))).toEqual(new Set([0]))
  })

  it('have ids of at most 40 characters that stay different, the same whole and streamed', async () => {
    const sent = [`${LONG}1`, `${LONG}2`].map((id, index) =>
      named('one', '{}', { index, id, type: 'function' }),
    )
    const [whole, streamed] = [await wholeCalls(sent), await streamedCalls(sent)]
    const ids = whole.map(({ id = '' }) => id)
    expect(new Set(ids).size).toBe(2)
    expect(ids.every(({ length }) => length <= 40)).toBe(true)
    expect(streamed.map(({ id }) => id)).toEqual(ids)
  })

  it.each(['whole', 'streamed'])(
    'have their arguments as text where they come as an object, %s',
    async how => {
      const sent = [named('one', { a: 1 }, { index: 0, id: 'x', type: 'function' })]
      const [call] = how === 'whole' ? await wholeCalls(sent) : await streamedCalls(sent)
      expect(call?.function.arguments).toBe('{"a":1}')
    },
  )

  it('come byte for byte where nothing is wrong with them', async () => {
    const body = `{"id": "a", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "tool_calls": [{"id": "x", "type": "function", "x_new": 1.0, "function": {"name": "one", "arguments": "{}"}}]}}]}`
    expect(await given(compatible, JSON_TYPE, [Buffer.from(body)])).toBe(body)
  })
})
