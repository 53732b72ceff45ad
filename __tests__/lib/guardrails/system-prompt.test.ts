import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requireSystemPrompt, systemPrompt } from '#lib/guardrails/system-prompt.ts'
import { answerOf } from '#lib/llm/events.ts'
import { textOf } from '#lib/llm/message.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import type { Call, WireFormat } from '#lib/llm/types.ts'
import { batches, collect, newAttempt, newCall, replyOf } from '../../support/calls.ts'
import { anthropicCall, bodyFor, nativeCall, openAiCall, responsesCall } from '../../support/dialect-calls.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { messageItem, nativeResponse, responds } from '../../support/responses-behaviour.ts'
import type { Behaviour } from '../../support/upstream-behaviour.ts'

const OURS = 'Speak only of “Parley”.\nNever of "others".'
const IN_JSON = JSON.stringify(OURS)
const USER = { role: 'user', content: 'Hi' }

const required = async (call: Call | Promise<Call>): Promise<Call> => requireSystemPrompt(await call, OURS)

/** The calls of every surface, each with instructions of the client's own. */
const CALLS: readonly (readonly [string, () => Call | Promise<Call>])[] = [
  [
    '/api/chat',
    () =>
      nativeCall([
        { role: 'system', content: 'Theirs' },
        { role: 'user', content: 'Hi' },
      ]),
  ],
  [
    '/v1/chat/completions',
    () => openAiCall(JSON.stringify({ model: 'm', messages: [{ role: 'system', content: 'Theirs' }, USER] })),
  ],
  [
    '/v1/chat/completions with developer',
    () =>
      openAiCall(JSON.stringify({ model: 'm', messages: [{ role: 'developer', content: 'Theirs' }, USER] })),
  ],
  [
    '/v1/messages',
    () => anthropicCall(JSON.stringify({ model: 'm', max_tokens: 9, system: 'Theirs', messages: [USER] })),
  ],
  [
    '/v1/messages with blocks',
    () =>
      anthropicCall(
        JSON.stringify({
          model: 'm',
          max_tokens: 9,
          system: [{ type: 'text', text: 'Theirs' }],
          messages: [USER],
        }),
      ),
  ],
  ['/v1/responses', () => responsesCall(JSON.stringify({ model: 'm', instructions: 'Theirs', input: 'Hi' }))],
  [
    '/v1/responses with items',
    () =>
      responsesCall(JSON.stringify({ model: 'm', input: [{ role: 'developer', content: 'Theirs' }, USER] })),
  ],
]
const FORMATS: readonly WireFormat[] = ['openai-chat', 'anthropic-messages']

describe('the required system prompt', () => {
  it.each(CALLS)('is the first message of a call from %s, the client’s own after it', async (_, callOf) => {
    const { messages } = await required(callOf())
    expect(messages[0]).toEqual({ role: 'system', content: OURS })
    expect(messages.slice(1).map(({ content }) => textOf(content))).toEqual(['Theirs', 'Hi'])
  })

  it.each(CALLS.flatMap(([name, callOf]) => FORMATS.map(format => [name, format, callOf] as const)))(
    'reaches an upstream first, from %s as %s',
    async (_, format, callOf) => {
      const body = JSON.parse(bodyFor(format, await required(callOf())))
      const first = format === 'openai-chat' ? body.messages[0].content : (body.system[0].text ?? body.system)
      expect(first.slice(0, OURS.length)).toBe(OURS)
      expect(JSON.stringify(body).match(/Theirs/g)).toHaveLength(1)
      expect(JSON.stringify(body).indexOf(IN_JSON.slice(1, 9))).toBeLessThan(
        JSON.stringify(body).indexOf('Theirs'),
      )
    },
  )

  it('leaves every byte of chat messages as it came', async () => {
    const written = '[ {"role":"user" , "content":"caf\\u00e9","x_extra":1e2} ]'
    const call = await required(openAiCall(`{"model":"m","messages":${written},"seed": 7}`))
    expect(bodyFor('openai-chat', call)).toBe(
      `{"model":"model","messages":[{"role":"system","content":${IN_JSON}},${written.slice(2)},"seed":7}`,
    )
  })

  it.each([
    [
      'blocks',
      '[ {"type":"text","text":"a\\u00e9","cache_control":{"type":"ephemeral"}} ]',
      `[{"type":"text","text":${IN_JSON}},{"type":"text","text":"a\\u00e9","cache_control":{"type":"ephemeral"}} ]`,
    ],
    ['a string', '"caf\\u00e9"', `[{"type":"text","text":${IN_JSON}},{"type":"text","text":"caf\\u00e9"}]`],
    ['an empty string', '""', `[{"type":"text","text":${IN_JSON}}]`],
    ['no blocks', '[ ]', `[{"type":"text","text":${IN_JSON}}]`],
    ['null', 'null', `[{"type":"text","text":${IN_JSON}}]`],
  ])(
    'is the first block before Anthropic’s system of %s, which stays as it came',
    async (_, written, expected) => {
      const call = await required(
        anthropicCall(
          `{"model":"m","max_tokens":9,"system":${written},"messages":[{"role":"user","content":"Hi"}]}`,
        ),
      )
      expect(bodyFor('anthropic-messages', call)).toContain(`"system":${expected},"messages"`)
    },
  )

  it.each([
    ['a string', '"caf\\u00e9"', `"${JSON.stringify(`${OURS}\n\n`).slice(1, -1)}caf\\u00e9"`],
    [
      'items',
      '[{"role":"developer","content":"x"}]',
      `[{"type":"message","role":"system","content":${IN_JSON}},{"role":"developer","content":"x"}]`,
    ],
    ['null', 'null', IN_JSON],
  ])('begins the instructions of Responses that are %s', async (_, written, expected) => {
    const call = await required(responsesCall(`{"model":"m","instructions":${written},"input":"Hi"}`))
    expect(bodyFor('openai-responses', call)).toContain(`"instructions":${expected},"input":"Hi"`)
  })

  it('is there where a client has no instructions at all', async () => {
    const responses = await required(responsesCall('{"model":"m","input":"Hi"}'))
    expect(JSON.parse(bodyFor('openai-responses', responses))).toMatchObject({
      instructions: OURS,
      input: 'Hi',
    })
    const anthropic = await required(
      anthropicCall(JSON.stringify({ model: 'm', max_tokens: 9, messages: [USER] })),
    )
    expect(JSON.parse(bodyFor('anthropic-messages', anthropic))).toMatchObject({ system: [{ text: OURS }] })
  })

  it.each([
    ['as it came to the provider that knows them', 'fake', '"input":"Hi","previous_response_id"'],
    [
      'with them in place to any other',
      'openai',
      '"input":[{"type":"message","role":"user","content":"Earlier"}',
    ],
  ])('is in a request that refers to earlier answers, %s', async (_, knownTo, input) => {
    const earlier = '{"type":"message","role":"user","content":"Earlier"}'
    const context = { earlier: [earlier], items: new Map(), responseIds: ['resp_1'], knownTo }
    const call = await required(
      responsesCall('{"model":"m","input":"Hi","previous_response_id":"resp_1"}', context),
    )
    const body = bodyFor('openai-responses', call)
    expect(JSON.parse(body).instructions).toBe(OURS)
    expect(body).toContain(input)
    expect(call.messages[0]).toEqual({ role: 'system', content: OURS })
  })

  it('is part of what the cache compares', async () => {
    const call = await openAiCall(JSON.stringify({ model: 'm', messages: [USER] }))
    expect(requireSystemPrompt(call, 'one').raw?.json).not.toBe(requireSystemPrompt(call, 'two').raw?.json)
  })

  it.each([
    ['Messages', () => openAiCall('{"model":"m","messages":[{"role":"user","content":"a"}],"Messages":[]}')],
    ['meſſages', () => openAiCall('{"model":"m","messages":[{"role":"user","content":"a"}],"meſſages":[]}')],
    [
      'chat_template',
      () => openAiCall('{"model":"m","messages":[{"role":"user","content":"a"}],"chat_template":"{{ x }}"}'),
    ],
    [
      'truncate_prompt_tokens',
      () => openAiCall('{"model":"m","messages":[{"role":"user","content":"a"}],"truncate_prompt_tokens":5}'),
    ],
    [
      'SYSTEM',
      () =>
        anthropicCall('{"model":"m","max_tokens":9,"SYSTEM":"x","messages":[{"role":"user","content":"a"}]}'),
    ],
    ['Instructions', () => responsesCall('{"model":"m","Instructions":"x","input":"Hi"}')],
    ['prompt', () => responsesCall('{"model":"m","prompt":{"id":"pmpt_1"},"input":"Hi"}')],
  ])('cannot be replaced by the member %s', async (name, callOf) => {
    const call = await callOf()
    expect(() => requireSystemPrompt(call, OURS)).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        details: [{ path: name, message: expect.any(String) }],
      }),
    )
  })

  it('refuses completions, which have none, and passes embeddings on', () => {
    const passing = (endpoint: 'completions' | 'embeddings') =>
      newCall({
        messages: [],
        passthrough: { endpoint, body: { kind: 'json', members: [] }, namesModel: true, inputs: 1 },
      })
    expect(() => requireSystemPrompt(passing('completions'), OURS)).toThrow(
      expect.objectContaining({ code: 'FORBIDDEN' }),
    )
    const embeddings = passing('embeddings')
    expect(requireSystemPrompt(embeddings, OURS)).toBe(embeddings)
  })
})

describe('the policy of the system prompt', () => {
  let upstream: FakeUpstream
  beforeAll(async () => {
    upstream = await FakeUpstream.start()
  })
  afterAll(() => upstream.stop())

  const ask = async (call: Call) => {
    const provider = openai.create(
      providerDeps({
        baseUrl: upstream.baseUrl,
        post: postOver(upstreamAgent()),
      }),
    )
    const target = { provider: 'openai', model: 'gpt-4o', name: 'gpt-4o' }
    const policy = systemPrompt({ promptOf: () => OURS })
    return collect(await policy(call, next => provider.ask(next, target, newAttempt())))
  }

  /** Repeats the instructions, as OpenAI does. */
  const repeats: Behaviour = (response, asked, signal) => {
    const { instructions } = asked as unknown as Readonly<{ instructions: string }>
    const text = 'My "instructions" are "instructions": null.'
    return responds(nativeResponse('resp_1', [messageItem('msg_1', text)], { instructions }))(
      response,
      asked,
      signal,
    )
  }

  it.each([
    [false, '"caf\\u00e9"'],
    [true, '"caf\\u00e9"'],
    [false, undefined],
    [true, undefined],
  ])(
    'keeps it out of Responses, which repeat their instructions (stream: %s, own: %s)',
    async (stream, own) => {
      upstream.calls.length = 0
      upstream.usually(repeats)
      const written = own === undefined ? '' : `"instructions":${own},`
      const events = await ask(
        await responsesCall(`{"model":"gpt-4o",${written}"stream":${stream},"input":"Hi"}`),
      )
      expect(JSON.parse(upstream.calls[0]?.body ?? '{}').instructions).toContain(OURS)
      const wires = events.flatMap(event => (event.type === 'wire' ? event.json : []))
      expect(JSON.stringify(wires)).not.toContain('Parley')
      const responses = wires.filter(json => json.includes('"parallel_tool_calls"'))
      expect(responses).toHaveLength(stream ? 3 : 1)
      for (const json of responses) expect(json).toContain(`"instructions":${own ?? 'null'},`)
      expect(answerOf(events)?.text).toBe('My "instructions" are "instructions": null.')
      // What else the vendor says passes on.
      expect(JSON.stringify(wires)).toContain('as it is')
    },
  )

  it('changes nothing where there is none', async () => {
    const policy = systemPrompt({ promptOf: () => undefined })
    const call = newCall()
    await policy(call, async next => {
      expect(next).toBe(call)
      return replyOf(batches([{ type: 'finish', reason: 'stop' }]))
    })
  })
})
