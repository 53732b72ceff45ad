import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { answers, block, ended, message, sseOf, started, texts } from '../support/anthropic-behaviour.ts'
import { HOSTS } from '../support/gateway.ts'
import {
  callItem,
  messageItem,
  nativeResponse,
  takesToolsInResponses,
} from '../support/responses-behaviour.ts'
import {
  type Behaviour,
  chunk,
  completion,
  hangs,
  inTurn,
  refuses,
  says,
  sends,
  sse,
  streamEnd,
} from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const CLAUDE = 'claude-sonnet-4-5'
const GPT = 'gpt-4o'
const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'Hi' }]
const WEATHER: Anthropic.Tool = {
  name: 'weather',
  description: 'Tells the weather.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } } },
}
const PIXEL = 'iVBORw0KGgo='

/** Everything that a stream of Anthropic's may hold, and some that only a later version of it will. */
const everything: Behaviour = answers(
  {
    ...message(
      [
        { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
        { type: 'redacted_thinking', data: 'secret' },
        { type: 'text', text: 'Hello', citations: null },
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln' } },
        { type: 'hologram', angle: 1.5 },
      ],
      'tool_use',
    ),
    vendor_note: 'kept',
  },
  [
    { ...started, vendor_note: 'kept' },
    ...block(
      0,
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: 'Hm.' },
      { type: 'signature_delta', signature: 'sig' },
    ),
    { type: 'ping' },
    ...block(1, { type: 'redacted_thinking', data: 'secret' }),
    ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hello' }),
    { type: 'weather_report', of: 'tomorrow' },
    ...block(
      3,
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
      { type: 'input_json_delta', partial_json: '{"city":' },
      { type: 'input_json_delta', partial_json: '"Köln"}' },
    ),
    ...block(4, { type: 'hologram', angle: 1.5 }),
    ...ended('tool_use'),
  ],
)

/** The events of a stream, as they are written. */
const eventsIn = (text: string): { event: string; data: Record<string, unknown> }[] =>
  text
    .split('\n\n')
    .filter(one => one.startsWith('event: '))
    .map(one => {
      const [event = '', data = ''] = one.split('\n')
      return { event: event.slice('event: '.length), data: JSON.parse(data.slice('data: '.length)) }
    })

const callsTwoTools: Behaviour = (response, asked, signal) => {
  const calls = ['Köln', 'Bonn'].map((city, index) => ({
    id: `call_${index}`,
    type: 'function',
    function: { name: 'weather', arguments: JSON.stringify({ city }) },
  }))
  const stream = sends([
    sse(chunk({ role: 'assistant', content: 'I look.' })),
    ...calls.flatMap((call, index) => {
      const { id, function: called } = call
      return [
        sse(chunk({ tool_calls: [{ index, id, type: 'function', function: { ...called, arguments: '' } }] })),
        sse(chunk({ tool_calls: [{ index, function: { arguments: called.arguments } }] })),
      ]
    }),
    streamEnd('tool_calls'),
  ])
  const whole = {
    ...completion(GPT, '', 'tool_calls'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'I look.', tool_calls: calls },
        finish_reason: 'tool_calls',
      },
    ],
  }
  const json = sends([JSON.stringify(whole)], { type: 'application/json' })
  return (asked.stream ? stream : json)(response, asked, signal)
}

describe.each(HOSTS)('POST /v1/messages under the %s server', host => {
  let setting: UpstreamGateway
  let direct: Anthropic
  let through: Anthropic

  const clientOf = (baseURL: string, maxRetries = 0) =>
    new Anthropic({ baseURL, apiKey: 'placeholder', maxRetries })
  const postTo = (path: string, body: string, headers: Record<string, string> = {}) =>
    fetch(`${setting.gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    })
  const bodyOf = (more: object) => JSON.stringify({ model: CLAUDE, max_tokens: 100, messages, ...more })
  const post = (more: object, headers: Record<string, string> = {}) =>
    postTo('/v1/messages', bodyOf(more), headers)
  const lastCall = () => {
    const call = setting.upstream.calls.at(-1)
    if (!call) throw new Error('The upstream was not called.')
    return call
  }

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      ANTHROPIC_API_KEY: 'sk-ant-gateway',
      ANTHROPIC_BASE_URL: baseUrl,
    }))
    direct = clientOf(setting.upstream.baseUrl.replace(/\/v1$/, ''))
    through = clientOf(setting.gateway.url)
  })
  beforeEach(
    () => void setting.upstream.usually(texts('Hello', ' there', '!')).forModel(GPT, says(['Hello', '!'])),
  )
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  describe('gives the official client what it gets from Anthropic itself', () => {
    it.each<[string, Behaviour]>([
      ['text', texts('Hello', ' there', '!')],
      ['thinking, tools, unknown blocks, events and fields', everything],
    ])('%s, whole and streamed', async (name, behaviour) => {
      setting.upstream.usually(behaviour)
      const asked = { model: CLAUDE, max_tokens: 100, messages, metadata: { user_id: name } }
      const [ours, theirs] = [await through.messages.create(asked), await direct.messages.create(asked)]
      expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
      const [ourStream, theirStream] = [through.messages.stream(asked), direct.messages.stream(asked)]
      const [ourEvents, theirEvents] = [[] as unknown[], [] as unknown[]]
      ourStream.on('streamEvent', event => void ourEvents.push(event))
      theirStream.on('streamEvent', event => void theirEvents.push(event))
      expect(await ourStream.finalMessage()).toEqual(await theirStream.finalMessage())
      expect(JSON.stringify(ourEvents)).toBe(JSON.stringify(theirEvents))
    })

    it('every byte of a stream, events of unknown names included', async () => {
      setting.upstream.usually(everything)
      const sent = { model: CLAUDE, max_tokens: 100, messages, stream: true, metadata: { user_id: 'bytes' } }
      const [ours, theirs] = await Promise.all([
        postTo('/v1/messages', JSON.stringify(sent)).then(response => response.text()),
        fetch(`${setting.upstream.baseUrl}/messages`, { method: 'POST', body: JSON.stringify(sent) }).then(
          response => response.text(),
        ),
      ])
      expect(ours).toBe(theirs)
      expect(ours).toContain('event: weather_report\n')
    })

    it('the same answer again from the cache, whole and streamed', async () => {
      setting.upstream.usually(everything)
      for (const stream of [false, true]) {
        const fields = { stream, temperature: 0, metadata: { user_id: 'cached' } }
        const first = await (await post(fields)).text()
        const again = await post(fields)
        expect(again.headers.get('x-gateway-cache')).toBe('hit')
        expect(await again.text()).toBe(first)
      }
    })

    it('the same answer to two that ask at once', async () => {
      setting.upstream.usually(everything)
      const calls = setting.upstream.calls.length
      const fields = { stream: true, metadata: { user_id: 'at once' } }
      const [one, two] = await Promise.all([post(fields), post(fields)])
      const [first, second] = [await one.text(), await two.text()]
      expect(second).toBe(first)
      expect(setting.upstream.calls.length).toBe(calls + 1)
    })

    it('an answer of another anthropic-beta, not the cached one', async () => {
      const fields = { metadata: { user_id: 'beta' } }
      await post(fields)
      const other = await post(fields, { 'anthropic-beta': 'interleaved-thinking-2025-05-14' })
      expect(other.headers.get('x-gateway-cache')).toBe('miss')
    })
  })

  describe('sends to Anthropic', () => {
    it('case 22: the body as it was written, cache_control and the order of tools byte for byte', async () => {
      const tools =
        '[{"name":"b","cache_control":{"ttl":"1h", "type":"ephemeral"},"input_schema":{"type":"object","x":1.0}},{"input_schema":{},"name":"a"}]'
      const body = `{"x_new":{"b":1e400,"c":9007199254740993,"d":1.0}, "tools": ${tools},"model":"${CLAUDE}","max_tokens":9,"messages":[{"role":"user","content":[{"cache_control":{"type":"ephemeral"},"text":"Hi","type":"text"}]}]}`
      expect((await postTo('/v1/messages', body)).status).toBe(200)
      expect(lastCall().body).toBe(
        `{"x_new":{"b":1e400,"c":9007199254740993,"d":1.0},"tools":${tools},"model":"${CLAUDE}","max_tokens":9,"messages":[{"role":"user","content":[{"cache_control":{"type":"ephemeral"},"text":"Hi","type":"text"}]}]}`,
      )
      expect(lastCall().path).toBe('/v1/messages')
    })

    it('search results and blocks of later types as they were written', async () => {
      const found =
        '{"type":"search_result","source":"https://x","title":"t","content":[{"type":"text","text":"a"}]}'
      const result = `{"type":"tool_result","tool_use_id":"toolu_1","content":[${found}]}`
      const blocks = `[${found},${result},{"type":"later_block","source":"x","content":7,"text":{}}]`
      const body = `{"model":"${CLAUDE}","max_tokens":9,"messages":[{"role":"user","content":${blocks}}]}`
      expect((await postTo('/v1/messages', body)).status).toBe(200)
      expect(lastCall().body).toBe(body)
    })

    it('case 21: an unknown anthropic-beta and anthropic-version unchanged, and to no other vendor', async () => {
      const headers = {
        'anthropic-version': '2031-01-01',
        'anthropic-beta': 'telepathy-2031-01-01,context-1m',
      }
      expect((await post({ metadata: { user_id: '21' } }, headers)).status).toBe(200)
      expect(lastCall().headers).toMatchObject(headers)
      expect((await post({ model: GPT, metadata: { user_id: '21' } }, headers)).status).toBe(200)
      expect(Object.keys(lastCall().headers).filter(name => name.startsWith('anthropic'))).toEqual([])
    })

    it('case 24: no credential of the client, by Bearer, x-api-key or api-key', async () => {
      for (const [name, value] of [
        ['x-api-key', 'sk-ant-client'],
        ['api-key', 'sk-ant-client'],
        ['authorization', 'Bearer sk-ant-client'],
      ] as const) {
        expect((await post({ metadata: { user_id: name } }, { [name]: value })).status).toBe(200)
        expect(lastCall().headers['x-api-key']).toBe('sk-ant-gateway')
        expect(JSON.stringify(lastCall().headers)).not.toContain('sk-ant-client')
      }
    })

    it('what Claude Code sends: 2 MB, ?beta=true, system blocks, tools, and headers of its own', async () => {
      const long = 'x'.repeat(2 * 1024 * 1024)
      const body = JSON.stringify({
        model: CLAUDE,
        messages: [
          { role: 'user', content: [{ type: 'text', text: long, cache_control: { type: 'ephemeral' } }] },
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'ls' } }],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'toolu_1', content: 'README.md', is_error: false },
              { type: 'text', text: '<system-reminder>Be kind.</system-reminder>' },
            ],
          },
        ],
        system: [
          { type: 'text', text: 'You are Claude Code.', cache_control: { type: 'ephemeral' } },
          { type: 'text', text: 'The files are here.', cache_control: { type: 'ephemeral' } },
        ],
        tools: [{ name: 'Bash', description: 'Runs a command.', input_schema: { type: 'object' } }],
        metadata: { user_id: `user_${'a'.repeat(64)}_account__session_1` },
        max_tokens: 32_000,
        thinking: { type: 'enabled', budget_tokens: 31_999 },
        context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
        stream: true,
      })
      const headers = {
        authorization: 'Bearer any',
        'anthropic-version': '2023-06-01',
        'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14,unknown-2031-01-01',
        'x-app': 'cli',
        'user-agent': 'claude-cli/2.1.0 (external, cli)',
      }
      const response = await postTo('/v1/messages?beta=true', body, headers)
      expect(response.status).toBe(200)
      expect(eventsIn(await response.text()).at(-1)?.event).toBe('message_stop')
      expect(lastCall().body).toBe(body)
      expect(lastCall().headers['anthropic-beta']).toBe(headers['anthropic-beta'])
    })
  })

  describe('translates for an OpenAI-compatible vendor', () => {
    const sentBody = () => JSON.parse(lastCall().body)

    it('a conversation with instructions, images, tools and their results', async () => {
      const created = await through.messages.create({
        model: GPT,
        max_tokens: 100,
        system: [
          { type: 'text', text: 'Be brief.' },
          { type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } },
        ],
        tools: [WEATHER],
        stop_sequences: ['END'],
        ...{ temperature: 0.5 },
        metadata: { user_id: 'user-1' },
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
              { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
              { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Notes.' } },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
              { type: 'text', text: 'I look.' },
              { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln' } },
            ],
          },
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 'toolu_1',
                content: [
                  { type: 'text', text: '7 °C' },
                  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
                ],
              },
              { type: 'text', text: 'And?' },
            ],
          },
        ],
      })
      expect(created.content).toEqual([{ type: 'text', text: 'Hello!' }])
      expect(sentBody()).toEqual({
        model: GPT,
        max_tokens: 100,
        temperature: 0.5,
        stop: ['END'],
        user: 'user-1',
        stream: false,
        tools: [
          {
            type: 'function',
            function: {
              name: 'weather',
              description: 'Tells the weather.',
              parameters: { type: 'object', properties: { city: { type: 'string' } } },
            },
          },
        ],
        messages: [
          { role: 'system', content: 'Be brief.\n\nBe kind.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
              { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
              { type: 'text', text: 'Notes.' },
            ],
          },
          {
            role: 'assistant',
            content: 'I look.',
            tool_calls: [
              {
                id: 'toolu_1',
                type: 'function',
                function: { name: 'weather', arguments: '{"city":"Köln"}' },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'toolu_1', content: [{ type: 'text', text: '7 °C' }] },
          {
            role: 'user',
            content: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } }],
          },
          { role: 'user', content: 'And?' },
        ],
      })
    })

    it.each<[string, Anthropic.ToolChoice, unknown, unknown]>([
      ['auto', { type: 'auto' }, 'auto', undefined],
      ['any', { type: 'any' }, 'required', undefined],
      [
        'tool',
        { type: 'tool', name: 'weather' },
        { type: 'function', function: { name: 'weather' } },
        undefined,
      ],
      ['none', { type: 'none' }, 'none', undefined],
      [
        'case 13, disable_parallel_tool_use',
        { type: 'auto', disable_parallel_tool_use: true },
        'auto',
        false,
      ],
    ])('tool_choice: %s', async (_, choice, expected, parallel) => {
      expect((await post({ model: GPT, tools: [WEATHER], tool_choice: choice })).status).toBe(200)
      expect(sentBody().tool_choice).toEqual(expected)
      expect(sentBody().parallel_tool_calls).toBe(parallel)
    })

    it('thinking as a reasoning effort, and a user’s id of more than 64 characters as a hash of it', async () => {
      const long = 'u'.repeat(65)
      await post({
        model: 'o3',
        thinking: { type: 'enabled', budget_tokens: 10_000 },
        metadata: { user_id: long },
      })
      expect(sentBody()).toMatchObject({ reasoning_effort: 'medium', max_completion_tokens: 100 })
      expect(sentBody().user).toMatch(/^[0-9a-f]{64}$/)
    })

    it('no empty lists, which OpenAI refuses, nor a choice among no tools', async () => {
      await post({ model: GPT, tools: [], tool_choice: { type: 'auto' }, stop_sequences: [], system: [] })
      expect(Object.keys(sentBody()).toSorted()).toEqual(['max_tokens', 'messages', 'model', 'stream'])
      expect(sentBody().messages).toEqual([{ role: 'user', content: 'Hi' }])
    })

    it('a JSON schema', async () => {
      const schema = {
        type: 'object',
        properties: { a: { type: 'number' } },
        required: ['a'],
        additionalProperties: false,
      }
      await post({ model: GPT, output_config: { format: { type: 'json_schema', schema } } })
      expect(sentBody().response_format).toEqual({
        type: 'json_schema',
        json_schema: { name: 'answer', schema, strict: true },
      })
    })

    it('what it cannot take named in x-gateway-params-dropped, and refused where x-gateway-strict says so', async () => {
      const fields = {
        model: GPT,
        top_k: 5,
        container: { skills: [] },
        inference_geo: null,
        tools: [WEATHER, { type: 'web_search_20250305', name: 'web_search' }],
      }
      const response = await post(fields)
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-params-dropped')).toBe('top_k, container, tools.web_search')
      expect(sentBody().tools).toHaveLength(1)
      const refused = await post(fields, { 'x-gateway-strict': 'true' })
      expect(refused.status).toBe(400)
      expect(await refused.json()).toMatchObject({
        type: 'error',
        error: { type: 'invalid_request_error', message: expect.stringContaining('top_k') },
      })
    })

    it('a block that it does not know to a clear refusal', async () => {
      const content = [{ type: 'container_upload' }]
      const response = await post({ model: GPT, messages: [{ role: 'user', content }] })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({
        error: {
          type: 'invalid_request_error',
          message: 'This model takes no content of type container_upload.',
        },
      })
    })

    it('case 19: its stream into Anthropic’s events in their order, each with its event line', async () => {
      setting.upstream.forModel(
        GPT,
        sends([
          sse(chunk({ role: 'assistant', reasoning_content: 'Hm.' })),
          sse(chunk({ content: 'Hel' })),
          sse(chunk({ content: 'lo' })),
          streamEnd(),
        ]),
      )
      const response = await post({ model: GPT, stream: true })
      expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
      expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'))
      const events = eventsIn(await response.text())
      expect(events.map(({ event }) => event)).toEqual([
        'message_start',
        'ping',
        'content_block_start',
        'content_block_delta',
        'content_block_stop',
        'content_block_start',
        'content_block_delta',
        'content_block_delta',
        'content_block_stop',
        'message_delta',
        'message_stop',
      ])
      expect(events.every(({ event, data }) => data.type === event)).toBe(true)
      expect(events.map(({ data }) => data.index).filter(index => index !== undefined)).toEqual([
        0, 0, 0, 1, 1, 1, 1,
      ])
      expect(events.at(-2)?.data).toEqual({
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: {
          input_tokens: 7,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 0,
          output_tokens: 5,
        },
      })
    })

    it('a call of tools over Responses, where the model takes tools only there', async () => {
      const model = 'gpt-5.6-terra'
      const items = [
        messageItem('msg_1', 'I look.'),
        callItem('fc_1', 'call_1', 'weather', '{"city":"Köln"}'),
      ]
      setting.upstream.forModel(
        model,
        takesToolsInResponses(() => nativeResponse('resp_1', items)),
      )
      const asked = { model, max_tokens: 100, messages, tools: [WEATHER] }
      const created = await through.messages.create(asked)
      const streamed = await through.messages.stream(asked).finalMessage()
      for (const one of [created, streamed]) {
        expect(one.content).toEqual([
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Köln' } },
        ])
        expect(one.stop_reason).toBe('tool_use')
        expect(one.usage).toMatchObject({ input_tokens: 12, cache_read_input_tokens: 8, output_tokens: 9 })
      }
      expect(setting.upstream.callsFor(model).map(({ path }) => path)).toEqual([
        '/v1/chat/completions',
        '/v1/responses',
        '/v1/responses',
      ])
    })

    it('its parallel tool calls, whole and streamed, to the same message', async () => {
      setting.upstream.forModel(GPT, callsTwoTools)
      const asked = { model: GPT, max_tokens: 100, messages, tools: [WEATHER] }
      const created = await through.messages.create(asked)
      const streamed = await through.messages.stream(asked).finalMessage()
      const content = [
        { type: 'text', text: 'I look.' },
        { type: 'tool_use', id: 'call_0', name: 'weather', input: { city: 'Köln' } },
        { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bonn' } },
      ]
      for (const one of [created, streamed]) {
        expect(one.content).toEqual(content)
        expect(one.stop_reason).toBe('tool_use')
        expect(one.usage).toMatchObject({ input_tokens: 7, output_tokens: 5 })
      }
    })

    it('the fragments of parallel calls that alternate to one block after the other', async () => {
      const part = (index: number, json: string) =>
        sse(chunk({ tool_calls: [{ index, function: { arguments: json } }] }))
      const first = (index: number) =>
        sse(
          chunk({
            tool_calls: [{ index, id: `call_${index}`, function: { name: 'weather', arguments: '' } }],
          }),
        )
      setting.upstream.forModel(
        GPT,
        sends([
          first(0),
          first(1),
          part(0, '{"city":'),
          part(1, '{"ci'),
          part(0, '"a"}'),
          part(1, 'ty":"b"}'),
          streamEnd('stop'),
        ]),
      )
      const created = await through.messages.stream({ model: GPT, max_tokens: 9, messages }).finalMessage()
      expect(created.content).toEqual([
        { type: 'tool_use', id: 'call_0', name: 'weather', input: { city: 'a' } },
        { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'b' } },
      ])
      expect(created.stop_reason).toBe('tool_use')
    })

    it.each([
      ['length', 'max_tokens'],
      ['content_filter', 'refusal'],
      ['stop', 'end_turn'],
    ])('its finish reason %s to the stop reason %s', async (theirs, ours) => {
      setting.upstream.forModel(GPT, says(['Hi'], { finish: theirs }))
      const asked = { model: GPT, max_tokens: 9, messages, metadata: { user_id: theirs } }
      const created = await through.messages.create(asked)
      expect(created.stop_reason).toBe(ours)
      const streamed = await through.messages.stream(asked).finalMessage()
      expect(streamed.stop_reason).toBe(ours)
    })

    it('its tool runner’s answer through two rounds', async () => {
      setting.upstream.forModel(GPT, inTurn(callsTwoTools, says(['7 °C'])))
      const { betaTool } = await import('@anthropic-ai/sdk/helpers/beta/json-schema')
      const asked: unknown[] = []
      const final = await through.beta.messages.toolRunner({
        model: GPT,
        max_tokens: 100,
        messages: [{ role: 'user', content: 'Weather?' }],
        tools: [
          betaTool({
            name: 'weather',
            description: 'Tells the weather.',
            inputSchema: { type: 'object', properties: { city: { type: 'string' } } },
            run: input => {
              asked.push(input)
              return '7 °C'
            },
          }),
        ],
      })
      expect(asked).toEqual([{ city: 'Köln' }, { city: 'Bonn' }])
      expect(final.content).toMatchObject([{ type: 'text', text: '7 °C' }])
      // The whole conversation, not what is new since a state that no server holds.
      expect(sentBody().messages).toMatchObject([
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', tool_calls: [{ id: 'call_0' }, { id: 'call_1' }] },
        { role: 'tool', tool_call_id: 'call_0', content: '7 °C' },
        { role: 'tool', tool_call_id: 'call_1', content: '7 °C' },
      ])
    })
  })

  describe('counts tokens', () => {
    const count = { model: CLAUDE, messages }

    it('case 20: at Anthropic, without max_tokens and with ?beta=true, in its own words', async () => {
      setting.upstream.usually(
        sends(['{"input_tokens": 14, "vendor_note": 1.0}'], { type: 'application/json' }),
      )
      const headers = { 'anthropic-beta': 'token-counting-2024-11-01' }
      const response = await postTo('/v1/messages/count_tokens?beta=true', JSON.stringify(count), headers)
      expect(await response.text()).toBe('{"input_tokens": 14, "vendor_note": 1.0}')
      expect(response.headers.has('x-gateway-estimated')).toBe(false)
      expect(response.headers.get('x-gateway-provider')).toBe('anthropic')
      expect(lastCall()).toMatchObject({
        path: '/v1/messages/count_tokens',
        body: JSON.stringify(count),
        headers,
      })
      expect((await through.messages.countTokens(count)).input_tokens).toBe(14)
      expect((await through.beta.messages.countTokens(count)).input_tokens).toBe(14)
    })

    it('itself for another vendor, without asking it, and says so', async () => {
      const calls = setting.upstream.calls.length
      const { data, response } = await through.messages
        .countTokens({
          model: GPT,
          system: 'Be brief.',
          messages: [{ role: 'user', content: 'The quick brown fox jumps over the lazy dog.' }],
          tools: [WEATHER],
        })
        .withResponse()
      expect(data.input_tokens).toBeGreaterThan(30)
      expect(data.input_tokens).toBeLessThan(70)
      expect(response.headers.get('x-gateway-estimated')).toBe('true')
      expect(setting.upstream.calls.length).toBe(calls)
    })

    it('itself where a server of Anthropic’s protocol does not', async () => {
      setting.upstream.usually(refuses(404, { body: 'no such path' }))
      const response = await postTo('/v1/messages/count_tokens', JSON.stringify(count))
      expect(response.headers.get('x-gateway-estimated')).toBe('true')
      expect(await response.json()).toEqual({ input_tokens: expect.any(Number) })
    })

    it('not, where Anthropic refuses the request, with its words', async () => {
      const error = { type: 'invalid_request_error', message: 'messages: bad' }
      setting.upstream.usually(refuses(400, { body: JSON.stringify({ type: 'error', error }) }))
      const response = await postTo('/v1/messages/count_tokens', JSON.stringify(count))
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ type: 'error', error })
    })
  })

  describe('refuses', () => {
    it.each<[string, object, number, string]>([
      ['an unknown model', { model: 'no-such-model' }, 404, 'not_found_error'],
      ['no max_tokens', { max_tokens: null }, 400, 'invalid_request_error'],
      ['no messages', { messages: [] }, 400, 'invalid_request_error'],
      [
        'a block without its text',
        { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
        400,
        'invalid_request_error',
      ],
      [
        'a result of a tool that is no content',
        { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a', content: 7 }] }] },
        400,
        'invalid_request_error',
      ],
    ])('%s in Anthropic’s form', async (_, fields, status, type) => {
      const response = await post(fields)
      expect(response.status).toBe(status)
      expect(await response.json()).toEqual({
        type: 'error',
        error: { type, message: expect.any(String) },
        request_id: response.headers.get('request-id'),
      })
      expect(response.headers.get('x-should-retry')).toBe('false')
    })

    it('unknown paths, other methods and bad bodies in the same form', async () => {
      for (const [path, init, status] of [
        ['/v1/messages/nothing', {}, 404],
        ['/v1/messages', { method: 'GET' }, 405],
        ['/v1/messages', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }, 400],
        ['/v1/messages', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }, 415],
      ] as const) {
        const response = await fetch(`${setting.gateway.url}${path}`, init)
        expect(response.status, path).toBe(status)
        expect(await response.json(), path).toMatchObject({ type: 'error', request_id: expect.any(String) })
        expect(response.headers.get('request-id')).toBe(response.headers.get('x-request-id'))
      }
    })

    it.each<[number, object, number, string, string]>([
      [
        400,
        { type: 'invalid_request_error', message: 'tools.0: bad sk-ant-gateway' },
        400,
        'invalid_request_error',
        'tools.0: bad ***',
      ],
      [413, { type: 'request_too_large', message: 'Too large' }, 413, 'request_too_large', 'Too large'],
      [
        400,
        { type: 'invalid_request_error', message: 'prompt is too long: 208310 tokens > 200000 maximum' },
        400,
        'invalid_request_error',
        'prompt is too long: 208310 tokens > 200000 maximum',
      ],
      [
        401,
        { type: 'authentication_error', message: 'invalid x-api-key' },
        502,
        'api_error',
        "Anthropic rejected this gateway's API key. Ask your admin.",
      ],
      [
        429,
        { type: 'rate_limit_error', message: 'secret words' },
        503,
        'overloaded_error',
        'Anthropic is getting too many requests. Please wait.',
      ],
      [
        500,
        { type: 'api_error', message: 'secret words' },
        502,
        'api_error',
        'Anthropic returned an error (status 500).',
      ],
      [
        529,
        { type: 'overloaded_error', message: 'Overloaded' },
        502,
        'api_error',
        'Anthropic is overloaded.',
      ],
    ])('what Anthropic refuses with %i: %o', async (theirs, error, status, type, words) => {
      // Of its own, since a model that is refused or busy is not called again for a while.
      const model = setting.upstream.modelThat(
        refuses(theirs, { body: JSON.stringify({ type: 'error', error }) }),
      )
      const thrown = await through.messages
        .create({ model: `anthropic/${model}`, max_tokens: 9, messages })
        .catch((reason: unknown) => reason)
      expect(thrown).toBeInstanceOf(Anthropic.APIError)
      expect(thrown).toMatchObject({
        status,
        error: { type: 'error', error: { type, message: words }, request_id: expect.any(String) },
        requestID: expect.any(String),
      })
    })

    it('an overlong conversation of any vendor in the words that Anthropic’s clients know', async () => {
      setting.upstream.forModel(GPT, refuses(400, { code: 'context_length_exceeded' }))
      const response = await post({ model: GPT })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({
        error: { type: 'invalid_request_error', message: expect.stringMatching(/^prompt is too long/) },
      })
    })

    it('case 24: two credentials that differ with 400', async () => {
      const response = await post({}, { authorization: 'Bearer one', 'x-api-key': 'two' })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ type: 'error' })
    })
  })

  describe('ends a stream that fails after its first content with an error event', () => {
    it.each<[string, string, Behaviour]>([
      [
        'Anthropic’s own error',
        CLAUDE,
        sends([
          sseOf(
            started,
            ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hel' }).slice(0, 2),
          ),
          'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
        ]),
      ],
      [
        'Anthropic breaking off',
        CLAUDE,
        sends([
          sseOf(
            started,
            ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hel' }).slice(0, 2),
          ),
        ]),
      ],
      ['another vendor breaking off', GPT, sends([sse(chunk({ content: 'Hel' }))])],
    ])('%s', async (name, model, behaviour) => {
      setting.upstream.usually(behaviour).forModel(GPT, behaviour)
      const text = await (await post({ model, stream: true, metadata: { user_id: name } })).text()
      const events = eventsIn(text)
      expect(text).toContain('Hel')
      expect(events.at(-1)).toMatchObject({
        event: 'error',
        data: { type: 'error', error: { type: 'api_error', message: expect.any(String) } },
      })
      expect(events.filter(({ event }) => event === 'error' || event === 'message_stop')).toHaveLength(1)
      const stream = through.messages.stream({ model, max_tokens: 9, messages, metadata: { user_id: name } })
      await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError)
    })
  })

  it('lets the official client retry what may succeed, and nothing else', async () => {
    const patient = clientOf(setting.gateway.url, 2)
    const model = setting.upstream.modelThat(inTurn(refuses(500), texts('Back')))
    const created = await patient.messages.create({ model: `anthropic/${model}`, max_tokens: 9, messages })
    expect(created.content).toMatchObject([{ type: 'text', text: 'Back' }])
    const refused = setting.upstream.modelThat(refuses(400))
    await expect(
      patient.messages.create({ model: `anthropic/${refused}`, max_tokens: 9, messages }),
    ).rejects.toBeInstanceOf(Anthropic.BadRequestError)
    expect(setting.upstream.callsFor(refused)).toHaveLength(1)
  })

  it('closes the upstream when its client leaves, before the first content and within a stream', async () => {
    const begun = sends(
      [
        sseOf(
          started,
          ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hel' }).slice(0, 2),
        ),
      ],
      { ending: 'stall' },
    )
    for (const behaviour of [hangs, begun]) {
      const model = setting.upstream.modelThat(behaviour)
      const stream = through.messages.stream({ model: `anthropic/${model}`, max_tokens: 9, messages })
      const failed = stream.finalMessage().catch((reason: unknown) => reason)
      const text = new Promise(resolve => stream.once('text', resolve))
      await setting.gateway.until(() => setting.upstream.callsFor(model)[0], 'the call')
      if (behaviour === begun) await text
      stream.abort()
      expect(await failed).toBeInstanceOf(Anthropic.APIUserAbortError)
      await setting.gateway.until(() => setting.upstream.callsFor(model)[0]?.abandonedAt, 'the disconnect')
    }
  })

  it('asks a model again without a parameter that it refuses, and never without its instructions', async () => {
    const model = setting.upstream.modelThat((response, asked, signal) => {
      const words =
        'temperature' in asked
          ? '`temperature` is deprecated for this model.'
          : 'does not support system prompts'
      const error = { type: 'invalid_request_error', message: words }
      return 'temperature' in asked || 'system' in asked
        ? refuses(400, { body: JSON.stringify({ type: 'error', error }) })(response, asked, signal)
        : texts('Hi')(response, asked, signal)
    })
    const fields = { model: `anthropic/${model}`, temperature: 0.5 }
    const response = await post(fields)
    expect(response.status).toBe(200)
    expect(response.headers.get('x-gateway-params-dropped')).toBe('temperature')
    const refused = await post({ ...fields, system: 'Be brief.' })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ error: { message: 'does not support system prompts' } })
  })

  it('case 25: passes an event of 5 MB on, whose data has no space before it', async () => {
    const long = 'x'.repeat(5 * 1024 * 1024)
    const events = [started, ...block(0, { type: 'document_read', data: long }), ...ended()]
    setting.upstream.usually(
      sends([events.map(event => `event:${event.type}\ndata:${JSON.stringify(event)}\n\n`).join('')]),
    )
    const text = await (await post({ stream: true, metadata: { user_id: '25' } })).text()
    expect(text).toBe(sseOf(...events))
  })

  it('falls back to another model of Anthropic’s, with its name in the same body', async () => {
    setting.upstream.forModel('claude-opus-4-1', refuses(500))
    const response = await post({ model: 'claude-opus-4-1', x_vendor: 1.5 })
    expect(response.status).toBe(200)
    expect(response.headers.get('x-gateway-fallback')).toBe('true')
    expect(lastCall().body).toBe(bodyOf({ x_vendor: 1.5 }))
  })

  it('starts a stream of a block that only Anthropic knows before any text comes', async () => {
    setting.upstream.usually(
      sends(
        [sseOf(started, ...block(0, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }))],
        {
          ending: 'stall',
        },
      ),
    )
    const response = await post({ stream: true, metadata: { user_id: 'server tool' } })
    const { value } = (await response.body?.getReader().read()) ?? {}
    expect(Buffer.from(value ?? []).toString()).toContain('server_tool_use')
  })

  it('is found by Claude Code: HEAD /api/hello, and /v1/models?limit=1000 for the official client', async () => {
    const hello = await fetch(`${setting.gateway.url}/api/hello`, { method: 'HEAD' })
    expect(hello.status).toBe(200)
    const ids: string[] = []
    for await (const { id, type } of through.models.list({ limit: 1_000 })) {
      expect(type).toBe('model')
      ids.push(id)
    }
    expect(ids).toContain(CLAUDE)
    const paged: string[] = []
    for await (const { id } of through.models.list({ limit: 3 })) paged.push(id)
    expect(paged).toEqual(ids)
    expect(await through.models.retrieve(CLAUDE)).toMatchObject({ id: CLAUDE, type: 'model' })
    for (const id of [`${CLAUDE}-20250929`, 'anthropic/claude-99'])
      expect(await through.models.retrieve(id)).toMatchObject({ id, type: 'model' })
    await expect(through.models.retrieve('claudia')).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    })
  })
})

describe('a gateway with limits and an allowed origin', () => {
  let setting: UpstreamGateway
  beforeAll(async () => {
    setting = await startUpstreamGateway('native', () => ({
      ENABLE_RATE_LIMITING: 'true',
      RATE_LIMIT_ANONYMOUS: '2/1m',
      RATE_LIMIT_API: '3/1m',
      ALLOWED_ORIGINS: 'https://app.example',
    }))
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  it('lets a page of that origin send every header of the official client', async () => {
    setting.upstream.forModel(CLAUDE, texts('Hi'))
    const baseURL = setting.upstream.baseUrl.replace(/\/v1$/, '')
    const client = new Anthropic({ baseURL, apiKey: 'placeholder', maxRetries: 0 })
    await client.beta.messages.create({
      model: CLAUDE,
      max_tokens: 9,
      messages,
      betas: ['output-128k-2025-02-19'],
    })
    await client.messages.stream({ model: CLAUDE, max_tokens: 9, messages }).finalMessage()
    const sent = setting.upstream.calls.flatMap(({ headers }) => Object.keys(headers))
    const own = [...new Set(sent)].filter(name => /^(x-|anthropic-|authorization$)/.test(name))
    expect(own).toContain('anthropic-beta')
    const preflight = await fetch(`${setting.gateway.url}/v1/messages`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    const allowed = preflight.headers.get('access-control-allow-headers')?.split(', ') ?? []
    expect(allowed).toEqual(expect.arrayContaining(own))
  })

  it.each([
    ['/v1/messages', 2],
    ['/v1/messages/count_tokens', 3],
  ])('counts %s apart: %d a minute here, then 429 rate_limit_error with Retry-After', async (path, most) => {
    const ask = () =>
      fetch(`${setting.gateway.url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: GPT, max_tokens: 9, messages }),
      })
    for (let asked = 0; asked < most; asked += 1) expect((await ask()).status).toBe(200)
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
    expect(refused.headers.has('x-should-retry')).toBe(false)
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
  })
})
