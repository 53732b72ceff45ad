import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock } from '#lib/clock.ts'
import { systemClock } from '#lib/clock.ts'
import { anthropic } from '#lib/llm/providers/anthropic/anthropic.ts'
import { azureOpenai } from '#lib/llm/providers/azure-openai.ts'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { gemini } from '#lib/llm/providers/gemini.ts'
import { githubModels } from '#lib/llm/providers/github-models.ts'
import { groq } from '#lib/llm/providers/groq.ts'
import { mistral } from '#lib/llm/providers/mistral.ts'
import { ollama } from '#lib/llm/providers/ollama.ts'
import { openai } from '#lib/llm/providers/openai.ts'
import { compatible } from '#lib/llm/providers/openai-compatible.ts'
import { openrouter } from '#lib/llm/providers/openrouter.ts'
import { postOver } from '#lib/llm/providers/shared/upstream.ts'
import { upstreamAgent } from '#lib/llm/providers/shared/upstream-agent.ts'
import type { Call, Provider, WireFormat } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import { collect, newAttempt, newCall, text } from '../../support/calls.ts'
import { openAiCall } from '../../support/dialect-calls.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeUpstream } from '../../support/fake-upstream.ts'
import { providerDeps } from '../../support/provider-deps.ts'
import { type Asked, type Behaviour, refuses, says, sends, sse } from '../../support/upstream-behaviour.ts'

type Body = Asked & Readonly<Record<string, unknown>>
/** What a model says against a request; undefined where it takes it. */
type Objection = (asked: Body) => unknown

const openaiError = (message: string, param: string | null, code: string | null) => ({
  error: { message, type: 'invalid_request_error', param, code },
})

const has =
  (parameter: string, error: unknown): Objection =>
  asked =>
    parameter in asked ? error : undefined

const NO_MAX_TOKENS = has(
  'max_tokens',
  openaiError(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    'max_tokens',
    'unsupported_parameter',
  ),
)
const NO_COMPLETION_TOKENS = has(
  'max_completion_tokens',
  openaiError('Unrecognized request argument supplied: max_completion_tokens', null, null),
)
const ONLY_OWN_TEMPERATURE: Objection = ({ temperature }) =>
  temperature === undefined || temperature === 1
    ? undefined
    : openaiError(
        `Unsupported value: 'temperature' does not support ${temperature} with this model. Only the default (1) value is supported.`,
        'temperature',
        'unsupported_value',
      )
const hasRole =
  (role: string, error: unknown): Objection =>
  ({ messages }) =>
    messages.some(message => message.role === role) ? error : undefined

/** A model that takes a request only where it has nothing to object to. */
const objects =
  (...objections: readonly Objection[]): Behaviour =>
  (response, asked, signal) => {
    const error = objections.map(objection => objection(asked as Body)).find(one => one !== undefined)
    return error
      ? refuses(400, { body: JSON.stringify(error) })(response, asked, signal)
      : says(['Hello'])(response, asked, signal)
  }

let upstream: FakeUpstream
beforeEach(async () => {
  upstream = await FakeUpstream.start()
})
afterEach(() => upstream.stop())

const providerOf = (definition: ProviderDefinition, clock: Clock = systemClock): Provider =>
  definition.create(
    providerDeps({
      baseUrl: upstream.baseUrl,
      post: postOver(upstreamAgent()),
      clock,
    }),
  )

const ask = async (provider: Provider, model: string, changes: Partial<Call> = {}) => {
  const reply = await provider.ask(
    newCall(changes),
    { provider: provider.id, model, name: model },
    newAttempt(),
  )
  return { events: await collect(reply), warnings: reply.head.warnings }
}

const bodiesFor = (model: string): Body[] => upstream.callsFor(model).map(({ asked }) => asked as Body)

describe('the first guess at what a model takes (number 11)', () => {
  it.each([
    [openai, 'gpt-5-mini'],
    [openai, 'o3-mini-2025-01-31'],
    [openai, 'ft:o4-mini-2025-04-16:acme::abc123'],
    [openai, 'gpt-5.1'],
    [azureOpenai, 'gpt-5'],
    [azureOpenai, 'o3-mini'],
    [githubModels, 'openai/o4-mini'],
    [openrouter, 'openai/gpt-5-nano'],
    [compatible, 'gpt-5-2025-08-07'],
  ])('is of a reasoning model by its name, at every provider: %o %s', async (definition, model) => {
    await ask(providerOf(definition), model, { temperature: 0.5 })
    expect(bodiesFor(model)).toHaveLength(1)
    expect(bodiesFor(model)[0]).toMatchObject({ max_completion_tokens: 1_000 })
    expect(bodiesFor(model)[0]).not.toHaveProperty('max_tokens')
    expect(bodiesFor(model)[0]).not.toHaveProperty('temperature')
  })

  it.each(['gpt-4o', 'ft:gpt-4o-mini:acme::o1', 'gpt-oss-120b', 'gpt-50', 'olmo-2', 'foo1', 'my-gpt-5'])(
    'is not of one by a name that only looks like it: %s',
    async model => {
      await ask(providerOf(openai), model, { temperature: 0.5 })
      expect(bodiesFor(model)).toMatchObject([{ max_tokens: 1_000, temperature: 0.5 }])
    },
  )

  it('is that a model which only talks takes a temperature', async () => {
    await ask(providerOf(azureOpenai), 'gpt-5-chat-latest', { temperature: 0.5 })
    expect(bodiesFor('gpt-5-chat-latest')).toMatchObject([{ max_completion_tokens: 1_000, temperature: 0.5 }])
  })
})

describe.each([false, true])('what a model refuses (number 11, stream: %s)', stream => {
  it.each<[string, Objection, object, Partial<Call>, readonly string[]]>([
    ['max_tokens (OpenAI, Azure, GitHub Models)', NO_MAX_TOKENS, { max_completion_tokens: 1_000 }, {}, []],
    [
      'temperature (OpenAI, Azure)',
      ONLY_OWN_TEMPERATURE,
      { max_tokens: 1_000 },
      { temperature: 0.2 },
      ['temperature'],
    ],
    [
      'temperature (xAI)',
      has('temperature', {
        code: 'invalid-argument',
        error: 'Argument not supported on this model: temperature',
      }),
      { max_tokens: 1_000 },
      { temperature: 0.2 },
      ['temperature'],
    ],
    [
      'max_tokens (vLLM)',
      has('max_tokens', {
        object: 'error',
        message:
          "[{'type': 'extra_forbidden', 'loc': ('body', 'max_tokens'), 'msg': 'Extra inputs are not permitted'}]",
        type: 'BadRequestError',
        code: 400,
      }),
      { max_completion_tokens: 1_000 },
      {},
      [],
    ],
    [
      'max_tokens (Mistral)',
      has('max_tokens', {
        object: 'error',
        message: {
          detail: [
            { type: 'extra_forbidden', loc: ['body', 'max_tokens'], msg: 'Extra inputs are not permitted' },
          ],
        },
        type: 'invalid_request_error',
      }),
      { max_completion_tokens: 1_000 },
      {},
      [],
    ],
    [
      'the system’s role (OpenAI’s first reasoning models)',
      hasRole(
        'system',
        openaiError(
          "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
          'messages[0].role',
          'unsupported_value',
        ),
      ),
      { messages: [{ role: 'user', content: 'Be brief.\n\nHello' }] },
      {},
      ['system messages'],
    ],
    [
      'the system’s role, for the developer’s',
      hasRole(
        'system',
        openaiError(
          "Unsupported value: 'messages[0].role' does not support 'system' with this model. Supported values are: 'user', 'developer'.",
          'messages[0].role',
          'unsupported_value',
        ),
      ),
      {
        messages: [
          { role: 'developer', content: 'Be brief.' },
          { role: 'user', content: 'Hello' },
        ],
      },
      {},
      [],
    ],
    [
      'instructions (Gemma at Google)',
      hasRole('system', [
        {
          error: {
            code: 400,
            message: 'Developer instruction is not enabled for models/gemma-3',
            status: 'INVALID_ARGUMENT',
          },
        },
      ]),
      { messages: [{ role: 'user', content: 'Be brief.\n\nHello' }] },
      {},
      ['system messages'],
    ],
  ])('is left out when it is asked again: %s', async (_, objection, expected, changes, warned) => {
    upstream.forModel('own-name', objects(objection))
    const provider = providerOf(azureOpenai)
    const messages = [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ] as const
    const call = { stream, messages, ...changes }
    const { events, warnings = [] } = await ask(provider, 'own-name', call)
    expect(events).toEqual([...text('Hello'), { type: 'finish', reason: 'stop', raw: 'stop' }])
    expect(bodiesFor('own-name')).toHaveLength(2)
    expect(bodiesFor('own-name')[1]).toMatchObject(expected)
    expect(warnings).toEqual(warned.map(word => expect.stringContaining(word)))

    expect((await ask(provider, 'own-name', call)).warnings ?? []).toEqual(warnings)
    expect(bodiesFor('own-name')).toHaveLength(3)
  })

  it.each(['"llama3.2" does not support thinking', 'think value "low" is not supported for this model'])(
    'is learned of an effort of reasoning from Ollama: %s',
    async message => {
      upstream.forModel('llama3.2', objects(has('reasoning_effort', openaiError(message, null, null))))
      const { warnings } = await ask(providerOf(ollama), 'llama3.2', {
        stream,
        parameters: { reasoningTokens: 1_000 },
      })
      expect(warnings).toEqual([expect.stringContaining('reasoning_effort')])
      expect(bodiesFor('llama3.2')).toHaveLength(2)
    },
  )

  it('is learned one by one, up to three of them, and named in warnings', async () => {
    upstream.forModel('picky', objects(NO_MAX_TOKENS, NO_COMPLETION_TOKENS, ONLY_OWN_TEMPERATURE))
    const { warnings } = await ask(providerOf(azureOpenai), 'picky', { stream, temperature: 0 })
    expect(warnings).toEqual([expect.stringContaining('temperature'), expect.stringContaining('1000 tokens')])
    expect(bodiesFor('picky')).toHaveLength(4)
    expect(Object.keys(bodiesFor('picky')[3] ?? {}).filter(name => /max|temp/.test(name))).toEqual([])
  })

  it('is the caller’s mistake where it goes on refusing, and it is asked four times at most', async () => {
    let asked = 0
    const names = ['temperature', 'max_tokens', 'max_completion_tokens', 'stream_options', 'stream']
    upstream.forModel('never', (...call) => {
      const name = names[asked % names.length] ?? ''
      asked += 1
      return refuses(400, {
        body: JSON.stringify(openaiError(`Unsupported parameter: '${name}'`, name, 'unsupported_parameter')),
      })(...call)
    })
    const failure = ask(providerOf(azureOpenai), 'never', { stream, temperature: 0 })
    await expect(failure).rejects.toMatchObject({ code: 'INVALID_INPUT', retryable: false })
    expect(asked).toBe(4)
  })

  it.each(['tools', 'constructor', '__proto__'])(
    'is not asked again where nothing of it was sent: %s',
    async name => {
      upstream.forModel(
        'odd',
        refuses(400, {
          body: JSON.stringify(
            openaiError(`Unsupported parameter: '${name}'`, name, 'unsupported_parameter'),
          ),
        }),
      )
      await expect(ask(providerOf(azureOpenai), 'odd', { stream })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      })
      await expect(ask(providerOf(openai), 'odd', { stream })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
      })
      expect(bodiesFor('odd')).toHaveLength(2)
    },
  )

  it.each<[string, Behaviour]>([
    [
      'a value out of range',
      refuses(400, {
        body: JSON.stringify(
          openaiError(
            'max_tokens is too large: 1000. This model supports at most 10 completion tokens.',
            'max_tokens',
            'invalid_value',
          ),
        ),
      }),
    ],
    [
      'a refused key',
      refuses(401, {
        body: JSON.stringify(
          openaiError("Unsupported parameter: 'max_tokens'", 'max_tokens', 'invalid_api_key'),
        ),
      }),
    ],
    [
      'a failure',
      refuses(500, {
        body: JSON.stringify(
          openaiError("Unsupported parameter: 'max_tokens'", 'max_tokens', 'unsupported_parameter'),
        ),
      }),
    ],
  ])('is not learned from %s', async (_, behaviour) => {
    upstream.forModel('other', behaviour)
    await expect(ask(providerOf(azureOpenai), 'other', { stream })).rejects.toThrow()
    expect(bodiesFor('other')).toHaveLength(1)
  })

  it('is learned from an error in a successful response too', async () => {
    upstream.forModel('relayed', (response, asked, signal) => {
      const error = NO_MAX_TOKENS(asked as Body)
      if (!error) return says(['Hello'])(response, asked, signal)
      return stream
        ? sends([sse(error)])(response, asked, signal)
        : sends([JSON.stringify(error)], { type: 'application/json' })(response, asked, signal)
    })
    expect((await ask(providerOf(azureOpenai), 'relayed', { stream })).events).toHaveLength(2)
    expect(bodiesFor('relayed')).toHaveLength(2)
  })

  it('is known by the calls that come after, and learned by each that is under way', async () => {
    upstream.forModel('busy', objects(NO_MAX_TOKENS))
    const provider = providerOf(azureOpenai)
    await Promise.all(Array.from({ length: 20 }, () => ask(provider, 'busy', { stream })))
    expect(bodiesFor('busy').length).toBeLessThanOrEqual(40)
    const before = bodiesFor('busy').length
    await Promise.all(Array.from({ length: 20 }, () => ask(provider, 'busy', { stream })))
    expect(bodiesFor('busy').length - before).toBe(20)
  })

  it('is of one model, and of no other', async () => {
    upstream.forModel('one', objects(NO_MAX_TOKENS))
    const provider = providerOf(azureOpenai)
    await ask(provider, 'one', { stream })
    await ask(provider, 'two', { stream })
    expect(bodiesFor('two')).toMatchObject([{ max_tokens: 1_000 }])
  })

  it('is forgotten after an hour, so that a model that takes it again gets it again', async () => {
    upstream.forModel('mended', objects(NO_MAX_TOKENS))
    const clock = new FakeClock()
    const provider = providerOf(azureOpenai, clock)
    await ask(provider, 'mended', { stream })
    upstream.forModel('mended', says(['Hello']))
    await clock.advance(3_599_000)
    await ask(provider, 'mended', { stream })
    await clock.advance(1_000)
    await ask(provider, 'mended', { stream })
    const fields = bodiesFor('mended').map(body =>
      'max_tokens' in body ? 'max_tokens' : 'max_completion_tokens',
    )
    expect(fields).toEqual(['max_tokens', 'max_completion_tokens', 'max_completion_tokens', 'max_tokens'])
  })

  it('is learned the other way round too', async () => {
    upstream.forModel('gpt-5', objects(NO_COMPLETION_TOKENS))
    await ask(providerOf(compatible), 'gpt-5', { stream })
    expect(bodiesFor('gpt-5')).toMatchObject([{ max_completion_tokens: 1_000 }, { max_tokens: 1_000 }])
  })
})

describe('a conversation with answers of other vendors', () => {
  /** A model that refuses members of an answer, in its vendor's words about the first or all of them. */
  const bare =
    (taken: readonly string[], error: (at: number, names: readonly string[]) => unknown): Objection =>
    ({ messages }) => {
      const at = messages.findIndex(({ role }) => role === 'assistant')
      const names = Object.keys(messages[at] ?? {}).filter(name => !taken.includes(name))
      return names.length > 0 ? error(at, names) : undefined
    }
  const groqs = bare(['role', 'content', 'tool_calls', 'reasoning'], (at, [name]) =>
    openaiError(
      `'messages.${at}' : for 'role:assistant' the following must be satisfied[('messages.${at}' : property '${name}' is unsupported)]`,
      null,
      null,
    ),
  )
  const mistrals = bare(['role', 'content', 'tool_calls', 'prefix'], (at, names) => ({
    object: 'error',
    message: {
      detail: names.map(name => ({
        type: 'extra_forbidden',
        loc: ['body', 'messages', at, 'assistant', name],
        msg: 'Extra inputs are not permitted',
        input: null,
      })),
    },
    type: 'invalid_request_error',
  }))
  const openais = bare(['role', 'content', 'tool_calls'], (at, [name]) =>
    openaiError(
      `Unknown parameter: 'messages[${at}].${name}'.`,
      `messages[${at}].${name}`,
      'unknown_parameter',
    ),
  )

  const answer = (content: string | null, refusal: string | null) => ({
    role: 'assistant',
    content,
    refusal,
    annotations: [],
    reasoning_content: 'Hm.',
  })
  const body = (...answers: readonly object[]) =>
    `{"model":"m","seed":1.0,"messages":[{"role":"user","content":"Hi"},${answers.map(one => JSON.stringify(one)).join()},{"role":"user","content":"And?","x":1e2}]}`

  it.each([
    [groq, groqs],
    [mistral, mistrals],
    [compatible, openais],
  ])(
    'has their content and tool calls alone where a model refuses the rest: %o',
    async (definition, refuses) => {
      upstream.forModel('bare', objects(refuses))
      const provider = providerOf(definition)
      const call = await openAiCall(body(answer('Hello', null), answer(null, 'No.')))
      const sent = '{"role":"assistant","content":"Hello"},{"role":"assistant","content":"No."}'
      await ask(provider, 'bare', call)
      const [first, second] = upstream.callsFor('bare').map(({ body: text }) => text)
      expect(first).toContain('"reasoning_content":"Hm."')
      expect(second).toBe(
        body(JSON.parse(`[${sent}]`)[0], JSON.parse(`[${sent}]`)[1]).replace('"m"', '"bare"'),
      )

      expect((await ask(provider, 'bare', call)).warnings).toBeUndefined()
      expect(bodiesFor('bare')).toHaveLength(3)
    },
  )

  it('has a refusal as its text where it is translated, too', async () => {
    upstream.forModel('bare', objects(mistrals))
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', refusal: 'No.' },
      { role: 'user', content: 'And?' },
    ] as const
    await ask(providerOf(mistral), 'bare', { messages })
    expect(bodiesFor('bare')[1]?.messages[1]).toEqual({ role: 'assistant', content: 'No.' })
  })

  it('keeps a call of the earlier form, and the parameter of the name of a refused member', async () => {
    upstream.forModel('bare', objects(groqs))
    const functionCall = { name: 'f', arguments: '{}' }
    const call = await openAiCall(
      body({ role: 'assistant', content: '', refusal: null, function_call: functionCall }),
    )
    await expect(ask(providerOf(groq), 'bare', call)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(bodiesFor('bare')[1]?.messages[1]).toEqual({
      role: 'assistant',
      content: '',
      function_call: functionCall,
    })
  })
})

describe('a value that a model refuses of a parameter that it takes', () => {
  const picky =
    (parameter: string, taken: readonly unknown[], message: (value: string) => string): Objection =>
    asked =>
      asked[parameter] === undefined || taken.includes(asked[parameter])
        ? undefined
        : openaiError(message(String(asked[parameter])), parameter, 'unsupported_value')
  const unsupportedValue = (parameter: string) => (value: string) =>
    `Unsupported value: '${parameter}' does not support '${value}' with this model.`

  /** A call with the client's own body. */
  const rawCall = (members: object, strict = false): Partial<Call> => {
    const json = JSON.stringify({ model: 'm', messages: [], ...members })
    return { raw: { format: 'openai-chat', json, members: membersOf(json) }, ...(strict && { strict }) }
  }

  const EFFORT = picky('reasoning_effort', ['low', 'high'], unsupportedValue('reasoning_effort'))

  it.each<[string, Objection, Partial<Call>, Partial<Call>, string, unknown]>([
    [
      'an effort of reasoning',
      EFFORT,
      { parameters: { reasoningEffort: 'minimal' } },
      { parameters: { reasoningEffort: 'high' } },
      'reasoning_effort',
      'high',
    ],
    [
      'an effort as a number of tokens',
      EFFORT,
      { parameters: { reasoningEffort: 'minimal' } },
      { parameters: { reasoningTokens: 1_000 } },
      'reasoning_effort',
      'low',
    ],
    [
      'an effort, in the client’s own body',
      EFFORT,
      rawCall({ reasoning_effort: 'minimal' }),
      rawCall({ reasoning_effort: 'high' }, true),
      'reasoning_effort',
      'high',
    ],
    [
      'a service tier',
      picky('service_tier', ['priority'], unsupportedValue('service_tier')),
      { parameters: { serviceTier: 'flex' } },
      { parameters: { serviceTier: 'priority' }, strict: true },
      'service_tier',
      'priority',
    ],
    [
      'a verbosity',
      picky('verbosity', ['medium'], unsupportedValue('verbosity')),
      rawCall({ verbosity: 'low' }),
      rawCall({ verbosity: 'medium' }, true),
      'verbosity',
      'medium',
    ],
    [
      'a temperature',
      ONLY_OWN_TEMPERATURE,
      { temperature: 0.2 },
      { temperature: 1, strict: true },
      'temperature',
      1,
    ],
    [
      'an effort (Ollama)',
      picky('reasoning_effort', ['high'], value => `think value "${value}" is not supported for this model`),
      { parameters: { reasoningEffort: 'low' } },
      { parameters: { reasoningEffort: 'high' }, strict: true },
      'reasoning_effort',
      'high',
    ],
  ])('is left out, and at once the next time, but no other value: %s', async (_, objection, ...calls) => {
    const [refused, taken, name, value] = calls
    upstream.forModel('picky', objects(objection))
    const provider = providerOf(azureOpenai)
    for (const asked of [2, 3]) {
      const { warnings } = await ask(provider, 'picky', refused)
      expect(warnings).toEqual([`This model does not take that value of ${name}; it was not sent.`])
      expect(bodiesFor('picky')).toHaveLength(asked)
      expect(bodiesFor('picky').at(-1)).not.toHaveProperty(name)
    }
    const { warnings } = await ask(provider, 'picky', taken)
    expect(warnings).toBeUndefined()
    expect(bodiesFor('picky')).toHaveLength(4)
    expect(bodiesFor('picky').at(-1)).toMatchObject({ [name]: value })
    await expect(ask(provider, 'picky', { ...refused, strict: true })).rejects.toMatchObject({
      message: `This model does not take this value of ${name}.`,
      details: [{ path: name, message: 'has a value that is not supported by this model' }],
    })
  })

  it('is known in both forms of an effort', async () => {
    const words = 'think value "low" is not supported for this model'
    upstream.forModel(
      'thinker',
      objects(
        has('reasoning', openaiError(words, null, null)),
        has('reasoning_effort', openaiError(words, null, null)),
      ),
    )
    await ask(providerOf(ollama), 'thinker', rawCall({ reasoning: { effort: 'low' } }))
    expect(bodiesFor('thinker')).toHaveLength(2)
  })

  it('is the caller’s mistake where it is a limit, which is not to be lost', async () => {
    upstream.forModel('limited', objects(picky('max_tokens', [], unsupportedValue('max_tokens'))))
    await expect(ask(providerOf(azureOpenai), 'limited')).rejects.toMatchObject({ code: 'INVALID_INPUT' })
    expect(bodiesFor('limited')).toHaveLength(1)
  })

  it('is forgotten after an hour', async () => {
    upstream.forModel('picky', objects(EFFORT))
    const clock = new FakeClock()
    const provider = providerOf(azureOpenai, clock)
    const call = { parameters: { reasoningEffort: 'minimal' } }
    await ask(provider, 'picky', call)
    await clock.advance(3_600_000)
    await ask(provider, 'picky', call)
    expect(bodiesFor('picky')).toHaveLength(4)
  })
})

describe('a model that refuses to stream (number 11)', () => {
  it.each([
    ['its options', 'stream_options', ['max_tokens', 'messages', 'model', 'stream'], undefined],
    [
      'any stream',
      'stream',
      ['max_tokens', 'messages', 'model', 'stream'],
      ['This model does not stream; its answer came in one piece.'],
    ],
  ])('is asked without %s', async (_, name, fields, warned) => {
    const isRefused: Objection = asked => (name === 'stream_options' ? name in asked : asked.stream === true)
    upstream.forModel(
      'plain',
      objects(asked =>
        isRefused(asked)
          ? openaiError(
              `Unsupported value: '${name}' does not support true with this model.`,
              name,
              'unsupported_value',
            )
          : undefined,
      ),
    )
    const { events, warnings } = await ask(providerOf(azureOpenai), 'plain', { stream: true })
    expect(events.at(0)).toEqual({ type: 'text-delta', text: 'Hello' })
    expect(warnings).toEqual(warned)
    expect(Object.keys(bodiesFor('plain').at(-1) ?? {}).sort()).toEqual(fields)
  })
})

describe.each<[ProviderDefinition, WireFormat]>([
  [openai, 'openai-chat'],
  [gemini, 'openai-chat'],
  [anthropic, 'anthropic-messages'],
])('a refused parameter at $id, in a client’s own body', (definition, format) => {
  const answer = { content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn' }
  const takes: Behaviour =
    definition === anthropic ? sends([JSON.stringify(answer)], { type: 'application/json' }) : says(['Hello'])

  const headOf = async (json: string) => {
    const raw = { format, json, members: membersOf(json) }
    const target = { provider: definition.id, model: 'unseeded', name: 'unseeded' }
    return (await providerOf(definition).ask(newCall({ raw, strict: true }), target, newAttempt())).head
  }

  it('is left out without a word where it is null, which is as good as absent', async () => {
    upstream.forModel('unseeded', (response, asked, signal) =>
      'seed' in asked
        ? refuses(400, { body: JSON.stringify(openaiError('Unknown parameter: seed', 'seed', null)) })(
            response,
            asked,
            signal,
          )
        : takes(response, asked, signal),
    )
    const head = await headOf('{"model":"m","messages":[],"seed":null}')
    expect([head.omitted, head.warnings]).toEqual([undefined, undefined])
    await expect(headOf('{"model":"m","messages":[],"seed":1}')).rejects.toMatchObject({
      details: [{ path: 'seed' }],
    })
  })
})

describe('Anthropic’s models (number 11)', () => {
  it.each<['temperature' | 'top_p' | 'top_k' | 'metadata', string, Partial<Call>]>([
    ['temperature', 'temperature', { temperature: 0.3 }],
    ['top_p', 'top_p', { parameters: { topP: 0.5 } }],
    ['top_k', 'top_k', { parameters: { topK: 5 } }],
    ['metadata', 'user', { parameters: { user: 'me' } }],
  ])('are asked without %s where they refuse it', async (name, clientsName, changes) => {
    const message = { content: [{ type: 'text', text: 'Hello' }], stop_reason: 'end_turn' }
    const model = `claude-sonnet-4-0-${name}`
    upstream.forModel(model, (response, asked, signal) =>
      name in asked
        ? refuses(400, {
            body: JSON.stringify({
              type: 'error',
              error: {
                type: 'invalid_request_error',
                message: `\`${name}\` is deprecated for this model.`,
              },
            }),
          })(response, asked, signal)
        : sends([JSON.stringify(message)], { type: 'application/json' })(response, asked, signal),
    )
    const { warnings } = await ask(providerOf(anthropic), model, changes)
    expect(warnings).toEqual([expect.stringContaining(clientsName)])
    expect(bodiesFor(model)).toHaveLength(2)
  })
})

describe('what a server refuses in Mistral’s words of a request with several unknown fields', () => {
  it('is learned at once', async () => {
    const detail = (...names: string[]) => ({
      object: 'error',
      message: {
        detail: names.map(name => ({
          type: 'extra_forbidden',
          loc: ['body', name],
          msg: 'Extra inputs are not permitted',
        })),
      },
    })
    upstream.forModel(
      'gpt-5',
      objects(asked =>
        'max_completion_tokens' in asked ? detail('max_completion_tokens', 'stream_options') : undefined,
      ),
    )
    await ask(providerOf(compatible), 'gpt-5')
    expect(bodiesFor('gpt-5')).toMatchObject([{ max_completion_tokens: 1_000 }, { max_tokens: 1_000 }])
  })

  it.each([mistral, ollama])(
    'is not sent to $id, which has max_tokens alone, whatever the model’s name',
    async definition => {
      await ask(providerOf(definition), 'openai/gpt-5')
      expect(bodiesFor('openai/gpt-5')).toMatchObject([{ max_tokens: 1_000 }])
    },
  )
})
