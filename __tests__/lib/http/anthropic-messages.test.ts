import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { ERRORS, type ErrorCode, GatewayError } from '#lib/errors.ts'
import { BlockWriter, toolsWithoutArguments } from '#lib/http/dialects/anthropic-messages/block-writer.ts'
import { anthropicErrorBody } from '#lib/http/dialects/anthropic-messages/error.ts'
import { messageUsage, usageBody } from '#lib/http/dialects/anthropic-messages/message.ts'
import { messageResponse } from '#lib/http/dialects/anthropic-messages/reply.ts'
import { messagesCall } from '#lib/http/dialects/anthropic-messages/request.ts'
import { chatCompletionResponse } from '#lib/http/dialects/openai-chat/reply.ts'
import { chatCompletionCall } from '#lib/http/dialects/openai-chat/request.ts'
import { errorResponse } from '#lib/http/error-response.ts'
import type { RouteResponse } from '#lib/http/route-response.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { PROVIDERS } from '#lib/llm/providers/registry.ts'
import type { Post } from '#lib/llm/providers/shared/upstream.ts'
import type { Call } from '#lib/llm/types.ts'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'
import { openAiChatBody } from '#lib/validation/openai-chat.ts'
import { block, ended, message, sseOf, started } from '../../support/anthropic-behaviour.ts'
import { newAttempt, newCall } from '../../support/calls.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { rawJson } from '../../support/raw-json.ts'
import { answering, fixturesOf, splitAt } from '../../support/wire-fixtures.ts'

const SSE = 'text/event-stream'
const JSON_TYPE = 'application/json'
const ANSWER_CLOCK = { clock: systemClock, abort: () => {} }

/** The call that a body of `POST /v1/messages` makes. */
const callOf = async (body: object): Promise<Call> => {
  const sent = rawJson({
    model: 'm',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'Hi' }],
    ...body,
  })
  return messagesCall(newCall(), await messagesBodyOrThrow(sent.value), sent, {
    model: 'm',
    headers: new Headers(),
    cache: 'default',
    requestTimeoutMs: 1_000,
  })
}

const asked = (definition: ProviderDefinition, post: Post, call: Call) =>
  definition
    .create(
      providerDeps({
        post,
      }),
    )
    .ask(call, { provider: definition.id, model: 'model', name: `${definition.id}/model` }, newAttempt())

const textOf = async ({ stream, text, json }: RouteResponse): Promise<string> =>
  stream ? await new Response(stream).text() : (text?.body ?? JSON.stringify(json))

/** What the client of a call gets where the vendor answers with these bytes. */
const given = async (definition: ProviderDefinition, type: string, pieces: readonly Buffer[], call: Call) =>
  textOf(
    await messageResponse(call, await asked(definition, answering(200, type, pieces), call), ANSWER_CLOCK),
  )

const streamOf = (id: string): Buffer => fixturesOf(id).get('stream') ?? Buffer.from(`no stream of ${id}`)

describe('a stream for Anthropic’s clients', () => {
  it.each(PROVIDERS.map(definition => [definition.id, definition] as const))(
    'is the same however the one of %s is split',
    async (id, definition) => {
      const body = streamOf(id)
      const call = await callOf({ stream: true })
      const whole = await given(definition, SSE, [body], call)
      expect(whole).toContain('event: message_stop\n')
      await fc.assert(
        fc.asyncProperty(fc.array(fc.nat(), { maxLength: 40 }), async cuts => {
          expect(await given(definition, SSE, splitAt(body, cuts), call)).toBe(whole)
        }),
        { numRuns: 30 },
      )
    },
  )

  it('is Anthropic’s own, byte for byte', async () => {
    const body = streamOf('anthropic')
    expect(await given(anthropic, SSE, [body], await callOf({ stream: true }))).toBe(body.toString())
  })

  it('has event lines also where an upstream leaves them out, and the end that one leaves out', async () => {
    const events = [
      started,
      ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hi' }),
      ended()[0],
    ]
    const bare = events.map(event => `data:${JSON.stringify(event)}\n\n`).join('')
    const full = sseOf(...events.filter(event => event !== undefined), { type: 'message_stop' })
    expect(await given(anthropic, SSE, [Buffer.from(bare)], await callOf({ stream: true }))).toBe(full)
  })

  it('is translated from an answer in one piece, and a message from a stream', async () => {
    const whole = Buffer.from(JSON.stringify(message([{ type: 'text', text: 'Hi' }])))
    const streamed = await given(anthropic, JSON_TYPE, [whole], await callOf({ stream: true }))
    expect(streamed.match(/^event: .*$/gm)).toEqual(
      [
        'message_start',
        'ping',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ].map(name => `event: ${name}`),
    )
    const created = JSON.parse(await given(anthropic, SSE, [streamOf('anthropic')], await callOf({})))
    expect(created).toMatchObject({
      type: 'message',
      content: [
        { type: 'thinking', thinking: 'They want a greeting.', signature: 'EqQBCgIYAhIM1gbcDa9GJwZA2b3h' },
        { type: 'text', text: 'Grüße aus dem Tor 👋' },
      ],
      usage: {
        input_tokens: 21,
        cache_creation_input_tokens: 248,
        cache_read_input_tokens: 1_800,
        output_tokens: 40,
      },
    })
  })
})

it('a stream for OpenAI’s clients is translated from an answer in one piece, and a completion from a stream', async () => {
  const askedChat = async (stream: boolean, name: string, type: string) => {
    const sent = rawJson({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], stream })
    const call = await chatCompletionCall(newCall(), openAiChatBody.parse(sent.value), sent, {
      model: 'm',
      cache: 'default',
      requestTimeoutMs: 1_000,
    })
    const body = fixturesOf('openai').get(name) ?? Buffer.from('')
    const reply = await asked(openai, answering(200, type, [body]), call)
    return textOf(await chatCompletionResponse(call, reply, { ...ANSWER_CLOCK, wantsUsage: false }))
  }
  const chunks = await askedChat(true, 'answer', JSON_TYPE)
  expect(chunks).toContain('"object":"chat.completion.chunk"')
  expect(chunks).not.toContain('"object":"chat.completion"')
  expect(JSON.parse(await askedChat(false, 'stream', SSE))).toMatchObject({ object: 'chat.completion' })
})

describe('the usage of a message that is translated', () => {
  it.each([
    [{ cacheWriteInputTokens: 500, cacheWrite1hInputTokens: 300 }, 200, 300],
    [{ cacheWriteInputTokens: 500 }, 500, 0],
    [{}, 0, 0],
  ])('tells what was cached for five minutes from what was for an hour: %o', (written, short, long) => {
    expect(messageUsage({ inputTokens: 600, outputTokens: 1, ...written }).cache_creation).toEqual({
      ephemeral_5m_input_tokens: short,
      ephemeral_1h_input_tokens: long,
    })
  })

  it('names the tokens of reasoning where they are known, also at the end of a stream', () => {
    const counts = { inputTokens: 6, outputTokens: 5 }
    for (const body of [usageBody, messageUsage]) {
      expect(body({ ...counts, reasoningTokens: 3 })).toMatchObject({
        output_tokens: 5,
        output_tokens_details: { thinking_tokens: 3 },
      })
      expect(body(counts)).not.toHaveProperty('output_tokens_details')
    }
  })
})

describe('the service tier of a message that is translated', () => {
  it.each([
    ['priority', 'priority'],
    ['flex', null],
    [undefined, null],
  ])('is named where the format has a name for it: %s', (serviceTier, named) => {
    const usage = { inputTokens: 1, outputTokens: 1, ...(serviceTier && { serviceTier }) }
    expect(messageUsage(usage).service_tier).toBe(named)
  })
})

describe('the parallel tool calls of a message', () => {
  type Part = Readonly<{ index: number; json: string }>
  const argumentsOf = fc.dictionary(fc.constantFrom('a', 'b', 'city'), fc.oneof(fc.string(), fc.integer()), {
    maxKeys: 3,
  })

  it('keep all of their arguments where text and reasoning come between the fragments', async () => {
    const call = (fields: object) => ({ tool_calls: [{ index: 0, ...fields }] })
    const deltas = [
      call({ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"city":' } }),
      { content: 'I look ' },
      { reasoning_content: 'Hm.' },
      call({ function: { arguments: '"Rom"}' } }),
      { content: 'it up.' },
    ]
    const chunks = [
      ...deltas.map(delta => ({ choices: [{ index: 0, delta }] })),
      { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
    ]
    const body = `${chunks.map(chunk => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`
    const text = await given(openai, SSE, [Buffer.from(body)], await callOf({ stream: true }))
    const events = text.match(/^data: .*$/gm)?.map(line => JSON.parse(line.slice('data: '.length))) ?? []
    const said = events.flatMap(({ delta }) => delta?.partial_json ?? delta?.text ?? delta?.thinking ?? [])
    expect(said).toEqual(['{"city":', '"Rom"}', 'I look ', 'Hm.', 'it up.'])
    const blocks = events.flatMap(({ content_block: block }) => block?.type ?? [])
    expect(blocks).toEqual(['tool_use', 'text', 'thinking', 'text'])
  })

  it('let text through at once after a call of a tool that takes no arguments', () => {
    const tools = [
      { name: 'now' },
      { name: 'today', parameters: { type: 'object', properties: {} } },
      { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
    ]
    const writtenBehind = (name: string): string => {
      const blocks = new BlockWriter(toolsWithoutArguments(tools))
      blocks.write({ type: 'tool-call-delta', index: 0, id: 'call_1', name, arguments: '' })
      return blocks.write({ type: 'text-delta', text: 'It is noon.' })
    }
    expect(writtenBehind('now')).toContain('It is noon.')
    expect(writtenBehind('today')).toContain('It is noon.')
    // Its arguments may still come.
    expect(writtenBehind('weather')).toBe('')
  })

  it('are blocks one after another, whole, however their fragments alternate', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(argumentsOf, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(3), { maxLength: 60 }),
        async (inputs, order) => {
          const rest = inputs.map(input => JSON.stringify(input))
          const parts: Part[] = []
          for (const turn of order) {
            const index = turn % rest.length
            parts.push({ index, json: (rest[index] ?? '').slice(0, 3) })
            rest[index] = (rest[index] ?? '').slice(3)
          }
          rest.forEach((json, index) => void parts.push({ index, json }))
          const named = inputs.map((_, index) => ({
            index,
            id: `call_${index}`,
            function: { name: `tool_${index}`, arguments: '' },
          }))
          const deltas = [
            ...named,
            ...parts.map(({ index, json }) => ({ index, function: { arguments: json } })),
          ]
          const chunks = [
            ...deltas.map(call => ({ choices: [{ index: 0, delta: { tool_calls: [call] } }] })),
            { choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] },
          ]
          const body = `${chunks.map(chunk => `data: ${JSON.stringify(chunk)}\n\n`).join('')}data: [DONE]\n\n`
          const text = await given(openai, SSE, [Buffer.from(body)], await callOf({ stream: true }))
          const events =
            text.match(/^data: .*$/gm)?.map(line => JSON.parse(line.slice('data: '.length))) ?? []
          const found: { name: string; json: string }[] = []
          let open = -1
          for (const { type, index, content_block: begun, delta } of events) {
            if (type === 'content_block_start') {
              expect([open, index]).toEqual([-1, found.length])
              open = index
              found.push({ name: begun.name, json: '' })
            } else if (type === 'content_block_delta') {
              expect(index).toBe(open)
              const block = found[index]
              if (block) block.json += delta.partial_json
            } else if (type === 'content_block_stop') {
              expect(index).toBe(open)
              open = -1
            }
          }
          expect(found).toEqual(
            inputs.map((input, index) => ({ name: `tool_${index}`, json: JSON.stringify(input) })),
          )
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('chat → messages → chat', () => {
  /** What a provider is sent for a call. */
  const sentFor = async (definition: ProviderDefinition, call: Call): Promise<Record<string, unknown>> => {
    let sent = '{}'
    const answer = fixturesOf(definition.id).get('answer') ?? Buffer.from('')
    const post = answering(200, JSON_TYPE, [answer])
    await asked(
      definition,
      (address, json, signal) => {
        sent = String(json)
        return post(address, json, signal)
      },
      call,
    )
    return JSON.parse(sent)
  }

  const word = fc.string({ minLength: 1, maxLength: 12 }).filter(text => text.trim() !== '')
  const image = fc.constantFrom('data:image/png;base64,AAAA', 'https://example.com/a.png')
  const part = fc.oneof(
    word.map(text => ({ type: 'text', text })),
    image.map(url => ({ type: 'image_url', image_url: { url } })),
  )
  const user = fc
    .oneof(word, fc.array(part, { minLength: 2, maxLength: 4 }))
    .map(content => [{ role: 'user', content }])
  const input = fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(word, fc.integer()))
  const calls = fc.array(fc.record({ name: fc.constantFrom('one', 'two'), input }), {
    minLength: 1,
    maxLength: 3,
  })
  const round = fc
    .tuple(word, calls, fc.array(word, { minLength: 3, maxLength: 3 }))
    .map(([content, made, results]) => {
      const tool_calls = made.map(({ name, input: value }, index) => ({
        id: `call_${index}`,
        type: 'function',
        function: { name, arguments: JSON.stringify(value) },
      }))
      return [
        { role: 'assistant', content, tool_calls },
        ...tool_calls.map(({ id }, index) => ({ role: 'tool', tool_call_id: id, content: results[index] })),
      ]
    })
  const conversation = fc
    .tuple(fc.option(word, { nil: undefined }), user, fc.array(fc.tuple(round, user), { maxLength: 3 }))
    .map(([system, first, rounds]) => [
      ...(system === undefined ? [] : [{ role: 'system', content: system }]),
      ...first,
      ...rounds.flat(2),
    ])
  const tools = fc.constantFrom(
    undefined,
    ['one', 'two'].map(name => ({
      type: 'function',
      function: {
        name,
        description: `Does ${name}.`,
        parameters: { type: 'object', properties: { a: { type: 'string' } } },
      },
    })),
  )
  const choice = fc.constantFrom(undefined, 'auto', 'none', 'required', {
    type: 'function',
    function: { name: 'one' },
  })

  it('keeps what both can say', async () => {
    await fc.assert(
      fc.asyncProperty(
        conversation,
        tools,
        choice,
        fc.record(
          {
            stop: fc.array(word, { minLength: 1, maxLength: 3 }),
            temperature: fc.constantFrom(0, 0.5, 1),
            top_p: fc.constantFrom(0.1, 1),
            user: word,
            parallel_tool_calls: fc.constant(false),
          },
          { requiredKeys: [] },
        ),
        async (messages, given, tool_choice, { parallel_tool_calls, ...rest }) => {
          const body = {
            model: 'model',
            messages,
            max_tokens: 10,
            ...rest,
            ...(given && { tools: given }),
            ...(given && tool_choice && { tool_choice }),
            // Anthropic says it as part of a choice among tools; "none" leaves nothing to be parallel.
            ...(given && tool_choice && tool_choice !== 'none' && { parallel_tool_calls }),
          }
          const asChat = rawJson(body)
          const chat = await chatCompletionCall(newCall(), openAiChatBody.parse(asChat.value), asChat, {
            model: 'model',
            cache: 'default',
            requestTimeoutMs: 1_000,
          })
          const sent = await sentFor(openai, await callOf(await sentFor(anthropic, chat)))
          expect(sent).toEqual({ ...body, stream: false })
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('an error for Anthropic’s clients', () => {
  const TYPES: Readonly<Record<ErrorCode, readonly [status: number, type: string]>> = {
    INVALID_INPUT: [400, 'invalid_request_error'],
    CONTEXT_LENGTH: [400, 'invalid_request_error'],
    UNAUTHENTICATED: [401, 'authentication_error'],
    FORBIDDEN: [403, 'permission_error'],
    NOT_FOUND: [404, 'not_found_error'],
    METHOD_NOT_ALLOWED: [405, 'invalid_request_error'],
    CONFLICT: [409, 'invalid_request_error'],
    PAYLOAD_TOO_LARGE: [413, 'request_too_large'],
    UNSUPPORTED_MEDIA_TYPE: [415, 'invalid_request_error'],
    CONTENT_BLOCKED: [400, 'invalid_request_error'],
    IDEMPOTENCY_MISMATCH: [422, 'invalid_request_error'],
    RATE_LIMITED: [429, 'rate_limit_error'],
    QUOTA_EXCEEDED: [429, 'rate_limit_error'],
    CLIENT_GONE: [499, 'invalid_request_error'],
    INTERNAL_ERROR: [500, 'api_error'],
    PROVIDER_ERROR: [502, 'api_error'],
    NETWORK: [502, 'api_error'],
    TOOL_EXECUTION: [502, 'api_error'],
    PROVIDER_RATE_LIMIT: [503, 'overloaded_error'],
    MODEL_UNAVAILABLE: [503, 'overloaded_error'],
    STORE_UNAVAILABLE: [503, 'overloaded_error'],
    SHUTTING_DOWN: [503, 'overloaded_error'],
    TIMEOUT: [504, 'api_error'],
  }

  it.each(Object.keys(ERRORS) as ErrorCode[])('has the status and the type of %s', code => {
    const [status, type] = TYPES[code]
    for (const path of [
      '/v1/messages',
      '/v1/messages/count_tokens?beta=true',
      '//v1//messages/x',
      'http://h/v1/messages',
    ]) {
      const error = new GatewayError(code)
      const response = errorResponse(error, 'req-1', path)
      expect(response.status, path).toBe(status)
      expect(response.json, path).toMatchObject({ type: 'error', error: { type }, request_id: 'req-1' })
      expect(response.headers?.['request-id']).toBe('req-1')
      expect(response.headers?.['x-should-retry'], path).toBe(error.retryable ? undefined : 'false')
    }
  })

  it('is that of OpenAI on every other path of /v1', () => {
    for (const path of ['/v1/messagesx', '/v1/message', '/v1/x/messages', '/v1'])
      expect(errorResponse(new GatewayError('NOT_FOUND'), 'id', path).json).not.toHaveProperty('type')
  })

  it('has the type that an upstream of the same format names, and no word of another’s', () => {
    const refusedWith = (type: string) =>
      new GatewayError('INVALID_INPUT', undefined, { refusal: { status: 400, message: 'No.', type } })
    expect(anthropicErrorBody(refusedWith('billing_error'), 400, 'id').error).toEqual({
      type: 'billing_error',
      message: 'No.',
    })
    expect(anthropicErrorBody(refusedWith('fake_error'), 400, 'id').error.type).toBe('invalid_request_error')
  })
})
