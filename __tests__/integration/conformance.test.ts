import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { block, ended, sseOf, started, texts } from '../support/anthropic-behaviour.ts'
import { usesWeather } from '../support/anthropic-fixtures.ts'
import { HOSTS } from '../support/gateway.ts'
import { callsWeather, writes } from '../support/openai-behaviour.ts'
import {
  type Behaviour,
  chunk,
  completion,
  refuses,
  says,
  sends,
  sse,
  streamEnd,
} from '../support/upstream-behaviour.ts'
import {
  asAnthropicToo,
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const GPT = 'gpt-4o'
const CLAUDE = 'claude-sonnet-4-5'
const messages = [{ role: 'user', content: 'Hi' }]
const WEATHER = {
  type: 'function',
  function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}

type Data = Readonly<{
  type?: string
  sequence_number?: number
  usage?: object | null
  error?: object
  choices?: readonly { delta: { tool_calls?: object[] }; finish_reason: string | null }[]
}>

const linesOf = (text: string): string[] => text.split('\n').filter(line => line.startsWith('data: '))
/** The data of a stream's events, without `[DONE]`. */
const dataOf = (text: string): Data[] =>
  linesOf(text)
    .filter(line => line !== 'data: [DONE]')
    .map(line => JSON.parse(line.slice('data: '.length)))

/** The numbered cases that every gateway for OpenAI's and Anthropic's clients should pass. */
describe.each(HOSTS)('conformance under the %s server', host => {
  let setting: UpstreamGateway

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      ...asAnthropicToo(baseUrl),
      OLLAMA_BASE_URL: baseUrl,
      MISTRAL_API_KEY: 'sk-mistral',
      MISTRAL_BASE_URL: baseUrl,
      OPENAI_COMPATIBLE_BASE_URL: baseUrl,
    }))
  })
  beforeEach(() => void setting.upstream.forModel(GPT, says(['Hello', '!'])).forModel(CLAUDE, texts('Hello')))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const ask = (path: string, init: RequestInit = {}) => fetch(`${setting.gateway.url}${path}`, init)
  const post = (path: string, body: object | string, headers: Record<string, string> = {}) =>
    ask(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const chat = (fields: object, headers?: Record<string, string>) =>
    post('/v1/chat/completions', { model: GPT, messages, ...fields }, headers)
  const lastCall = () => {
    const call = setting.upstream.calls.at(-1)
    if (!call) throw new Error('The upstream was not called.')
    return call
  }
  const lastBody = () => JSON.parse(lastCall().body)
  const toolDeltas = async (model: string): Promise<object[]> => {
    const text = await (await chat({ model, stream: true, tools: [WEATHER] })).text()
    return dataOf(text).flatMap(({ choices }) => choices?.[0]?.delta.tool_calls ?? [])
  }

  it.each([GPT, CLAUDE])(
    'case 1: a stream’s usage has choices: [], only when asked for, of %s',
    async model => {
      const withUsage = await chat({ model, stream: true, stream_options: { include_usage: true } })
      const chunks = dataOf(await withUsage.text())
      expect(chunks.filter(({ usage }) => usage)).toEqual([chunks.at(-1)])
      expect(chunks.at(-1)).toMatchObject({ choices: [] })
      const without = dataOf(await (await chat({ model, stream: true })).text())
      expect(without.every(one => !('usage' in one) && one.choices?.length === 1)).toBe(true)
    },
  )

  it('case 2: the upstream is always asked for a stream’s usage, and its other options are kept', async () => {
    const options = { include_usage: false, include_obfuscation: false }
    const text = await (await chat({ stream: true, stream_options: options })).text()
    expect(lastBody().stream_options).toEqual({ include_usage: true, include_obfuscation: false })
    expect(text).not.toContain('usage')
    await (await chat({ stream: true })).text()
    expect(lastBody().stream_options).toEqual({ include_usage: true })
    await chat({})
    expect(lastBody()).not.toHaveProperty('stream_options')
  })

  const begun = [
    [GPT, sends([sse(chunk({ content: 'Hel' }))])],
    [
      CLAUDE,
      sends([
        sseOf(
          started,
          ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hel' }).slice(0, 2),
        ),
      ]),
    ],
  ] as const
  it.each(begun)('case 3: %s ends without a finish reason: an error event', async (model, behaviour) => {
    setting.upstream.forModel(model, behaviour)
    const text = await (await chat({ model, stream: true })).text()
    expect(text).toContain('Hel')
    expect(text).not.toContain('[DONE]')
    expect(text).not.toMatch(/"finish_reason":"/)
    expect(dataOf(text).at(-1)).toEqual({
      error: { message: expect.any(String), type: expect.any(String), param: null, code: 'provider_error' },
    })
  })

  it('case 4: an error before the first byte is a status, after it data: {"error": …}', async () => {
    const before = setting.upstream.modelThat(refuses(500))
    const refused = await chat({ model: `openai/${before}`, stream: true })
    expect(refused.status).toBe(502)
    expect(await refused.json()).toMatchObject({ error: { code: 'provider_error' } })
    const failing = [
      sse(chunk({ content: 'Hel' })),
      sse({ error: { message: 'Boom', type: 'server_error' } }),
    ]
    const after = setting.upstream.modelThat(sends(failing))
    const broken = await chat({ model: `openai/${after}`, stream: true })
    expect(broken.status).toBe(200)
    expect(dataOf(await broken.text()).at(-1)).toMatchObject({ error: { code: 'provider_error' } })
  })

  it.each<[string, Behaviour]>([
    [GPT, callsWeather('Köln', 'Bonn')],
    [CLAUDE, usesWeather('Köln', 'Bonn')],
  ])(
    'case 5: tool deltas of %s have id and name in the first only, and a stable index',
    async (model, behaviour) => {
      setting.upstream.forModel(model, behaviour)
      const deltas = (await toolDeltas(model)) as {
        index: number
        id?: string
        function: { name?: string; arguments: string }
      }[]
      for (const [index, city] of ['Köln', 'Bonn'].entries()) {
        const [first, ...rest] = deltas.filter(delta => delta.index === index)
        expect(first).toMatchObject({
          id: expect.any(String),
          type: 'function',
          function: { name: 'weather' },
        })
        expect(rest.every(delta => !('id' in delta) && !('name' in delta.function))).toBe(true)
        const json = [first, ...rest].map(delta => delta?.function.arguments).join('')
        expect(JSON.parse(json)).toEqual({ city })
      }
    },
  )

  it('case 6: an upstream that sends the name late, or no index, is repaired', async () => {
    const model = setting.upstream.modelThat(
      sends([
        sse(chunk({ tool_calls: [{ id: 'a', function: { arguments: '{"a"' } }] })),
        sse(chunk({ tool_calls: [{ id: 'a', function: { name: 'one', arguments: ':1}' } }] })),
        sse(chunk({ tool_calls: [{ function: { name: 'two', arguments: '{}' } }] })),
        streamEnd('tool_calls'),
      ]),
    )
    expect(await toolDeltas(`openai/${model}`)).toEqual([
      { index: 0, id: 'a', type: 'function', function: { name: 'one', arguments: '{"a":1}' } },
      { index: 1, id: expect.any(String), type: 'function', function: { name: 'two', arguments: '{}' } },
    ])
  })

  it('case 7: from chat completions to Responses a tool call keeps name and call_id', async () => {
    const model = setting.upstream.modelThat(callsWeather('Köln'))
    const asked = { model: `openai-compatible/${model}`, input: 'Hi', tools: [] }
    const whole = (await (await post('/v1/responses', asked)).json()) as { output: object[] }
    const call = { type: 'function_call', name: 'weather', call_id: 'call_0', arguments: '{"city":"Köln"}' }
    expect(whole.output).toMatchObject([call])
    const streamed = dataOf(await (await post('/v1/responses', { ...asked, stream: true })).text())
    expect(streamed.at(-1)).toMatchObject({ response: { output: [call] } })
  })

  it('case 8: tool-call ids are never concatenated, and have at most 40 characters', async () => {
    const id = `call_${'x'.repeat(60)}`
    const fragment = (json: string) =>
      sse(chunk({ tool_calls: [{ index: 0, id, function: { name: 'one', arguments: json } }] }))
    const model = setting.upstream.modelThat(
      sends([fragment('{"a"'), fragment(':1}'), streamEnd('tool_calls')]),
    )
    const deltas = (await toolDeltas(`openai/${model}`)) as { id?: string }[]
    const ids = deltas.flatMap(delta => delta.id ?? [])
    expect(ids).toHaveLength(1)
    expect(ids[0]?.length).toBeLessThanOrEqual(40)
  })

  it.each<[string, string, object]>([
    [
      '/v1/chat/completions',
      'messages[1].tool_call_id',
      { messages: [...messages, { role: 'tool', tool_call_id: '', content: '7' }] },
    ],
    [
      '/v1/messages',
      'tool_use_id',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: '', content: '7' }] }] },
    ],
    ['/v1/responses', 'call_id', { input: [{ type: 'function_call_output', call_id: '', output: '7' }] }],
  ])('case 9: an empty tool_call_id in the history of %s is a clear 400', async (path, param, fields) => {
    const calls = setting.upstream.calls.length
    const response = await post(path, { model: GPT, max_tokens: 9, ...fields })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain(param)
    expect(setting.upstream.calls.length).toBe(calls)
  })

  it.each([
    ['openai', 'developer'],
    ['openai-compatible', 'developer'],
    ['ollama', 'system'],
    ['mistral', 'system'],
  ])('case 10: a developer message is sent to %s as %s', async (provider, role) => {
    const model = setting.upstream.modelThat(says(['ok']))
    const developer = { role: 'developer', content: 'Be brief.' }
    expect((await chat({ model: `${provider}/${model}`, messages: [developer, ...messages] })).status).toBe(
      200,
    )
    expect(lastBody().messages[0]).toEqual({ role, content: 'Be brief.' })
  })

  it('case 10: a developer message is sent to Anthropic as system', async () => {
    await chat({ model: CLAUDE, messages: [{ role: 'developer', content: 'Be brief.' }, ...messages] })
    expect(lastBody()).toMatchObject({ system: 'Be brief.', messages })
  })

  it.each([
    ['gpt-4o', 'max_tokens', 'max_tokens'],
    ['gpt-4o', 'max_completion_tokens', 'max_completion_tokens'],
    ['o3', 'max_tokens', 'max_completion_tokens'],
    ['gpt-5-mini', 'max_tokens', 'max_completion_tokens'],
    ['ollama/any', 'max_completion_tokens', 'max_tokens'],
    ['mistral/any', 'max_completion_tokens', 'max_tokens'],
    ['claude-sonnet-4-5', 'max_completion_tokens', 'max_tokens'],
  ])('case 11: %s is sent %s as %s', async (model, theirs, ours) => {
    expect((await chat({ model, [theirs]: 9 })).status).toBe(200)
    const { max_tokens, max_completion_tokens } = lastBody()
    expect({ max_tokens, max_completion_tokens }).toEqual({
      max_tokens: undefined,
      max_completion_tokens: undefined,
      [ours]: 9,
    })
  })

  const custom = { type: 'custom', custom: { name: 'patch' } }
  const chosen = { type: 'function', function: { name: 'weather' } }
  it.each<[string, unknown, object]>([
    ['a word', 'required', { type: 'any' }],
    ['a function', chosen, { type: 'tool', name: 'weather' }],
    ['a custom tool', custom, { type: 'tool', name: 'patch' }],
    [
      'allowed tools',
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [chosen] } },
      { type: 'auto' },
    ],
  ])(
    'case 12: tool_choice as %s, to OpenAI unchanged and to Anthropic translated',
    async (_, choice, theirs) => {
      const fields = { tools: [WEATHER, custom], tool_choice: choice }
      expect((await chat(fields)).status).toBe(200)
      expect(lastBody()).toMatchObject(fields)
      expect((await chat({ ...fields, model: CLAUDE })).status).toBe(200)
      expect(lastBody().tool_choice).toEqual(theirs)
    },
  )

  it('case 13: parallel_tool_calls: false is disable_parallel_tool_use for Anthropic', async () => {
    await chat({ model: CLAUDE, tools: [WEATHER], parallel_tool_calls: false })
    expect(lastBody().tool_choice).toEqual({ type: 'auto', disable_parallel_tool_use: true })
  })

  it.each(['openai', 'openai-compatible', 'ollama', 'mistral'])(
    'case 14: unknown fields reach %s unchanged',
    async provider => {
      const model = setting.upstream.modelThat(says(['ok']))
      const fields = `"x_new":{"b":[1,null],"a":""},"model":"${model}","messages":[{"x_own":true,"role":"user","content":"Hi"}],"y":null`
      const response = await post(
        '/v1/chat/completions',
        `{${fields.replace(`"${model}"`, `"${provider}/${model}"`)}}`,
      )
      expect(response.status).toBe(200)
      expect(lastCall().body).toBe(`{${fields}}`)
    },
  )

  it('case 15: dropped parameters are named, or refused with their param where strict', async () => {
    const fields = { model: CLAUDE, seed: 7, logit_bias: { 1: 2 } }
    const response = await chat(fields)
    expect(response.headers.get('x-gateway-params-dropped')).toBe('seed, logit_bias')
    const refused = await chat(fields, { 'x-gateway-strict': 'true' })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { type: 'invalid_request_error', param: 'seed' } })
  })

  it('case 15: changed values are named in x-gateway-warnings, or refused with their param where strict', async () => {
    const name = 'näme"'
    const tool = {
      type: 'function',
      name,
      strict: true,
      parameters: { type: 'object', properties: { a: {} } },
    }
    const model = `openai-compatible/${setting.upstream.modelThat(writes('Hello'))}`
    const asked: readonly (readonly [string, object, string, string])[] = [
      [
        '/v1/chat/completions',
        { model: CLAUDE, messages, temperature: 1.7 },
        '"This model takes a temperature of at most 1; that was used in place of 1.7."',
        'temperature',
      ],
      [
        '/v1/responses',
        { model, input: 'Hi', tools: [tool] },
        '"Schemas with open objects or members that may be absent are not followed strictly here: n?me?."',
        'tools.strict',
      ],
    ]
    for (const [path, body, warnings, param] of asked) {
      const response = await post(path, JSON.stringify(body))
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-warnings')).toBe(warnings)
      const refused = await post(path, JSON.stringify(body), { 'x-gateway-strict': 'true' })
      expect(refused.status).toBe(400)
      expect(await refused.json()).toMatchObject({ error: { param } })
    }
  })

  it('case 16: numbers keep their spelling: 1.0, 1e400, 2^53+1, in request and answer', async () => {
    const numbers = '"x":[1.0,1e400,9007199254740993]'
    const answer = JSON.stringify(completion(GPT, 'Hi')).replace('{', `{${numbers},`)
    setting.upstream.forModel(GPT, sends([answer], { type: 'application/json' }))
    const body = JSON.stringify({ model: GPT, messages }).replace('{', `{${numbers},`)
    const response = await post('/v1/chat/completions', body)
    expect(lastCall().body).toBe(body)
    expect(await response.text()).toBe(answer)
  })

  it('case 17: item_reference and previous_response_id are answered, or refused clearly', async () => {
    const model = `openai-compatible/${setting.upstream.modelThat(writes('Hello'))}`
    const first = (await (await post('/v1/responses', { model, input: 'One' })).json()) as {
      id: string
      output: { id: string }[]
    }
    const next = await post('/v1/responses', { model, input: 'Two', previous_response_id: first.id })
    expect(next.status).toBe(200)
    const conversation = ['One', 'Hello', 'Two']
    const sent = () => lastBody().messages.map(({ content }: { content: unknown }) => content)
    expect(JSON.stringify(sent())).toMatch(new RegExp(conversation.join('.*')))
    const input = [
      { type: 'item_reference', id: first.output[0]?.id },
      { role: 'user', content: 'Two' },
    ]
    expect((await post('/v1/responses', { model, input })).status).toBe(200)
    expect(JSON.stringify(sent())).toContain('Hello')
    const unknown = await post('/v1/responses', { model, input: 'Two', previous_response_id: 'resp_none' })
    expect(unknown.status).toBe(400)
    expect(await unknown.json()).toMatchObject({ error: { param: 'previous_response_id' } })
  })

  it('case 18: the events of Responses are numbered from 0, and no [DONE] follows', async () => {
    const model = `openai-compatible/${setting.upstream.modelThat(writes('Hel', 'lo'))}`
    const text = await (await post('/v1/responses', { model, input: 'Hi', stream: true })).text()
    const events = dataOf(text)
    expect(text).not.toContain('[DONE]')
    expect(events.map(event => event.sequence_number)).toEqual(events.map((_, at) => at))
    expect(events.at(-1)?.type).toBe('response.completed')
  })

  it('case 19: Messages have event lines in order, and both headers of the request’s id', async () => {
    for (const model of [CLAUDE, GPT]) {
      const response = await post('/v1/messages', { model, max_tokens: 9, messages, stream: true })
      expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'))
      const text = await response.text()
      const names = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)
      expect(names).toEqual(dataOf(text).map(({ type }) => type))
      const order = names.filter(name => name !== 'ping' && name !== 'content_block_delta')
      expect(order).toEqual([
        'message_start',
        'content_block_start',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ])
    }
  })

  it('case 20: count_tokens needs no max_tokens', async () => {
    const response = await post('/v1/messages/count_tokens?beta=true', { model: GPT, messages })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ input_tokens: expect.any(Number) })
  })

  it('case 21: an unknown anthropic-beta reaches Anthropic, and no other vendor', async () => {
    const headers = { 'anthropic-beta': 'telepathy-2031-01-01', 'anthropic-version': '2023-06-01' }
    await post('/v1/messages', { model: CLAUDE, max_tokens: 9, messages }, headers)
    expect(lastCall().headers).toMatchObject(headers)
    await post('/v1/messages', { model: GPT, max_tokens: 9, messages }, headers)
    expect(Object.keys(lastCall().headers).join()).not.toContain('anthropic')
  })

  it('case 22: cache_control and the order of tools stay as they are, byte for byte', async () => {
    const body = `{"tools":[{"name":"b","input_schema":{"type":"object"},"cache_control":{"ttl":"1h","type":"ephemeral"}},{"input_schema":{},"name":"a"}],"system":[{"type":"text","cache_control":{"type":"ephemeral"},"text":"S"}],"model":"${CLAUDE}","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`
    await post('/v1/messages', body)
    expect(lastCall().body).toBe(body)
    const openai = `{"model":"${GPT}","messages":[{"role":"user","content":[{"type":"text","cache_control":{"type":"ephemeral"},"text":"Hi"}]}]}`
    await post('/v1/chat/completions', openai)
    expect(lastCall().body).toBe(openai)
  })

  it('case 23: models in three shapes, and //models, HEAD, OPTIONS', async () => {
    const plain = (await (await ask('/v1/models')).json()) as { data: { id: string; object: string }[] }
    expect(plain).toMatchObject({ object: 'list' })
    expect(plain.data).toContainEqual(
      expect.objectContaining({ id: GPT, object: 'model', owned_by: 'openai' }),
    )
    const codex = (await (await ask('/v1/models?client_version=0.61.0')).json()) as { models: object[] }
    expect(codex.models).toContainEqual(expect.objectContaining({ slug: GPT }))
    const page = await (
      await ask('/v1/models?limit=1', { headers: { 'anthropic-version': '2023-06-01' } })
    ).json()
    expect(page).toMatchObject({
      data: [{ type: 'model', display_name: expect.any(String) }],
      has_more: true,
    })
    for (const path of ['/v1//models', '/v1/models/', '//v1/models'])
      expect(await (await ask(path)).json(), path).toMatchObject({ object: 'list' })
    for (const method of ['HEAD', 'OPTIONS'])
      for (const path of ['/v1/models', '/v1//models'])
        expect((await ask(path, { method })).ok, `${method} ${path}`).toBe(true)
    expect((await ask('/v1/chat/completions', { method: 'OPTIONS' })).ok).toBe(true)
  })

  it('case 24: the credential comes by Bearer, x-api-key or api-key; two that conflict are 400', async () => {
    for (const headers of [
      { authorization: 'Bearer one' },
      { 'x-api-key': 'one' },
      { 'api-key': 'one' },
      { authorization: 'Bearer one', 'x-api-key': 'one', 'api-key': 'one' },
    ])
      expect((await chat({}, headers as Record<string, string>)).status).toBe(200)
    for (const headers of [
      { authorization: 'Bearer one', 'x-api-key': 'two' },
      { authorization: 'Bearer one', 'api-key': 'two' },
      { 'x-api-key': 'one', 'api-key': 'two' },
    ])
      expect((await chat({}, headers as Record<string, string>)).status).toBe(400)
  })

  it('case 25: SSE without a space after data:, and lines of several MB', async () => {
    const long = 'x'.repeat(5 * 1024 * 1024)
    const lines = [chunk({ content: long }), chunk({}, 'stop')].map(one => `data:${JSON.stringify(one)}\n\n`)
    setting.upstream.forModel(GPT, sends([...lines, 'data:[DONE]\n\n']))
    const text = await (await chat({ stream: true })).text()
    expect(text.includes(`"content":"${long}"`)).toBe(true)
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    const events = [
      started,
      ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: long }),
      ...ended(),
    ]
    setting.upstream.forModel(
      CLAUDE,
      sends([events.map(one => `event:${one.type}\ndata:${JSON.stringify(one)}\n\n`).join('')]),
    )
    const translated = await (await chat({ model: CLAUDE, stream: true })).text()
    expect(translated.includes(`"content":"${long}"`)).toBe(true)
  })
})
