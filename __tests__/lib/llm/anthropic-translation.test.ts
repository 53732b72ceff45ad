import { describe, expect, it } from 'vitest'
import type { Call } from '#lib/llm/types.ts'
import { membersOf } from '#lib/raw-json.ts'
import {
  anthropicExchange as exchange,
  ANTHROPIC_MESSAGE as MESSAGE,
} from '../../support/anthropic-exchange.ts'
import { openAiCall } from '../../support/dialect-calls.ts'

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const WEATHER = { name: 'weather', description: 'Tells the weather.', parameters: SCHEMA }

const sse = (...events: readonly Readonly<{ type: string; [member: string]: unknown }>[]): string =>
  events.map(event => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')

describe('a call to Anthropic', () => {
  it('has ids of tool calls that Anthropic takes, the same in call and result, and different ones different', async () => {
    const ids = ['functions.weather:0', 'functions_weather:0', 'call_1']
    const { sent } = await exchange({
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: '',
          toolCalls: ids.map(id => ({ id, name: 'weather', arguments: '{}' })),
        },
        ...ids.map(toolCallId => ({ role: 'tool' as const, toolCallId, content: '7' })),
      ],
    })
    type Block = { id?: string; tool_use_id?: string }
    const [, calls, results] = (sent as { messages: { content: Block[] }[] }).messages
    const used = calls?.content.map(({ id = '' }) => id) ?? []
    expect(results?.content.map(block => block.tool_use_id)).toEqual(used)
    expect(used.every(id => /^[\w-]+$/.test(id))).toBe(true)
    expect(new Set(used).size).toBe(3)
    expect(used[2]).toBe('call_1')
  })

  it.each([
    ['null', { input: null }],
    ['[1]', { input: [1] }],
    ['"x"', { input: 'x' }],
    ['{"a":"tru', { input: '{"a":"tru' }],
    ['{"a":1}', { a: 1 }],
    ['', {}],
  ])('has inputs of tools that are objects, whatever the model wrote: %s', async (written, input) => {
    const { sent } = await exchange({
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: '',
          toolCalls: [{ id: 'a', name: 'weather', arguments: written }],
        },
        { role: 'tool', toolCallId: 'a', content: '7' },
      ],
    })
    expect(sent).toMatchObject({ messages: [{}, { content: [{ type: 'tool_use', input }] }, {}] })
  })

  it.each([
    [{}, { type: 'object' }],
    [{ properties: { a: {} } }, { type: 'object', properties: { a: {} } }],
    [
      { $ref: '#/$defs/X', $defs: { X: { type: 'object', properties: { x: { $ref: '#/$defs/X' } } } } },
      {
        type: 'object',
        properties: { x: { $ref: '#/$defs/X' } },
        $defs: { X: { type: 'object', properties: { x: { $ref: '#/$defs/X' } } } },
      },
    ],
    [{ $ref: '#' }, { type: 'object' }],
    [{ $ref: 'https://example.com/schema' }, { type: 'object' }],
    [undefined, { type: 'object', properties: {} }],
  ])(
    'has schemas of tools that say at their top that they are of an object: %j',
    async (parameters, expected) => {
      const { sent } = await exchange({ parameters: { tools: [{ name: 'look', parameters }] } })
      expect((sent as { tools: unknown[] }).tools).toEqual([{ name: 'look', input_schema: expected }])
    },
  )

  it('has the instructions apart, images and documents as sources, and tool results in one user’s message', async () => {
    const { sent } = await exchange({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'developer', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image', url: 'data:image/png;base64,AAAA' },
            { type: 'image', url: 'https://example.com/a.png' },
            { type: 'file', name: 'a.pdf', url: 'data:application/pdf;base64,BBBB' },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          reasoning: [{ text: 'Hm.', signature: 's' }],
          toolCalls: [
            { id: 'a', name: 'weather', arguments: '{"city":"Köln"}' },
            { id: 'b', name: 'now', arguments: '' },
          ],
        },
        { role: 'tool', toolCallId: 'a', content: '7 °C' },
        { role: 'tool', toolCallId: 'b', content: [{ type: 'text', text: '12:00' }] },
        { role: 'user', content: 'And?' },
      ],
    })
    expect(sent).toMatchObject({
      system: 'Be brief.\n\nBe kind.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
            {
              type: 'document',
              title: 'a.pdf',
              source: { type: 'base64', media_type: 'application/pdf', data: 'BBBB' },
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'Hm.', signature: 's' },
            { type: 'text', text: 'I look.' },
            { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Köln' } },
            { type: 'tool_use', id: 'b', name: 'now', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'a', content: '7 °C' },
            { type: 'tool_result', tool_use_id: 'b', content: [{ type: 'text', text: '12:00' }] },
            { type: 'text', text: 'And?' },
          ],
        },
      ],
    })
  })

  it.each<[string, NonNullable<Call['parameters']>, unknown]>([
    ['auto', { toolChoice: { type: 'auto' } }, { type: 'auto' }],
    ['none', { toolChoice: { type: 'none' } }, { type: 'none' }],
    ['required', { toolChoice: { type: 'required' } }, { type: 'any' }],
    ['one tool', { toolChoice: { type: 'tool', name: 'weather' } }, { type: 'tool', name: 'weather' }],
    [
      'some tools',
      { toolChoice: { type: 'allowed', mode: 'required', names: ['weather'] } },
      { type: 'any' },
    ],
    ['no parallel calls', { parallelToolCalls: false }, { type: 'auto', disable_parallel_tool_use: true }],
  ])('has the tools and the choice of them: %s', async (_, parameters, choice) => {
    const other = { name: 'other' }
    const { sent } = await exchange({ parameters: { tools: [WEATHER, other], ...parameters } })
    const weather = { name: 'weather', description: 'Tells the weather.', input_schema: SCHEMA }
    const isSome = parameters.toolChoice?.type === 'allowed'
    expect(sent).toMatchObject({
      tools: isSome ? [weather] : [weather, { name: 'other', input_schema: { type: 'object' } }],
      tool_choice: choice,
    })
  })

  it('that wants an answer of a schema of an older model gets a tool’s input as its text, whole and streamed', async () => {
    const parameters = { responseFormat: { type: 'json-schema', name: 'place', schema: SCHEMA } } as const
    const { sent, answer } = await exchange(
      { parameters },
      {
        ...MESSAGE,
        content: [{ type: 'tool_use', id: 'a', name: 'place', input: { city: 'Köln' } }],
        stop_reason: 'tool_use',
      },
      'claude-sonnet-4-0',
    )
    expect(sent).toMatchObject({
      tools: [{ name: 'place', input_schema: SCHEMA }],
      tool_choice: { type: 'tool', name: 'place' },
    })
    expect(answer).toMatchObject({ text: '{"city":"Köln"}', toolCalls: [], finish: { reason: 'stop' } })
    const streamed = await exchange(
      { parameters },
      sse(
        {
          type: 'content_block_start',
          index: 0,
          content_block: { type: 'tool_use', id: 'a', name: 'place', input: {} },
        },
        {
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'input_json_delta', partial_json: '{"city":' },
        },
        {
          type: 'content_block_delta',
          index: 0,
          delta: { type: 'input_json_delta', partial_json: '"Köln"}' },
        },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
        { type: 'message_stop' },
      ),
      'claude-sonnet-4-0',
    )
    expect(streamed.answer).toMatchObject({
      text: '{"city":"Köln"}',
      toolCalls: [],
      finish: { reason: 'stop' },
    })
  })

  it('names the parameters that it cannot have', async () => {
    const json = '{"model":"m","messages":[],"seed":1,"logprobs":true,"temperature":1}'
    const { head } = await exchange({ raw: { format: 'openai-chat', json, members: membersOf(json) } })
    expect(head.omitted).toEqual(['seed', 'logprobs'])
    await expect(
      exchange({ raw: { format: 'openai-chat', json, members: membersOf(json) }, strict: true }),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: 'seed' }, { path: 'logprobs' }],
    })
  })

  it.each(['openai-chat', 'anthropic-messages'] as const)(
    'takes null for absent in a request of the form %s: it is neither named nor refused',
    async format => {
      const json = '{"model":"m","messages":[],"seed":null,"logit_bias": null,"temperature":null}'
      const raw = { format, json, members: membersOf(json) }
      const { head } = await exchange({ raw, strict: true })
      expect(head.omitted).toBeUndefined()
      expect(head.warnings).toBeUndefined()
    },
  )

  it('takes values that ask for nothing for absent: they are neither named nor refused', async () => {
    const { messages, parameters, raw } = await openAiCall(
      '{"model":"m","messages":[{"role":"user","content":"Hi"}],"n":1,"presence_penalty":0,"frequency_penalty":0.0,"logprobs":false,"top_logprobs":0,"store":false}',
    )
    expect(parameters).toEqual({})
    const { head } = await exchange({ messages, parameters, raw, strict: true })
    expect(head.omitted).toBeUndefined()
  })

  it('refuses the earlier form of tool calls, whose results would belong to none', async () => {
    const turns = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: null, function_call: { name: 'weather', arguments: '{}' } },
      { role: 'function', name: 'weather', content: '7' },
    ]
    const call = await openAiCall(JSON.stringify({ model: 'm', messages: turns }))
    await expect(exchange(call)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: 'messages.1.function_call' }],
    })
  })

  it.each([
    ['functions', { functions: [{ name: 'weather' }], function_call: 'auto' }],
    ['function_call', { function_call: { name: 'weather' } }],
  ])('refuses the earlier form of tools likewise: %s', async (path, fields) => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields }
    const message = 'is the earlier form of tool calls, which this model does not take: use tools'
    await expect(exchange(await openAiCall(JSON.stringify(body)))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path, message }],
    })
  })

  it.each([{ functions: [], function_call: 'none' }, { function_call: 'auto' }])(
    'takes the earlier form where it asks for no tool: %o',
    async fields => {
      const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields }
      const { head } = await exchange(await openAiCall(JSON.stringify(body)))
      expect(head.omitted).toEqual(Object.keys(fields))
    },
  )

  /** The parameters that a body of chat completions loses, whether its model refuses them with `strict`, and what is sent. */
  const lossOf = async (fields: object, model?: string) => {
    const text = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...fields })
    const { messages, temperature, parameters, raw } = await openAiCall(text)
    const call = { messages, temperature, parameters, raw }
    const { head, sent } = await exchange(call, MESSAGE, model)
    const names = head.omitted ?? []
    expect(head.warnings ?? []).toHaveLength(names.length)
    const strict = exchange({ ...call, strict: true }, MESSAGE, model)
    if (names.length === 0) await strict
    else await expect(strict).rejects.toMatchObject({ details: names.map(path => ({ path })) })
    return { names, sent }
  }
  const TOOL = { type: 'function', function: { name: 'weather' } }
  const FORMAT = { type: 'json_schema', json_schema: { name: 'place', schema: SCHEMA } }
  const OPEN = { type: 'json_schema', json_schema: { name: 'place', schema: { type: 'object' } } }
  const CALLED = [
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'weather', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: '7' },
  ]

  const pictured = (detail: string) => [
    { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://a.test/b.png', detail } }] },
  ]

  it.each<[object, readonly string[]]>([
    [{ response_format: FORMAT }, []],
    [{ response_format: { type: 'text' }, tools: [TOOL] }, []],
    [{ response_format: FORMAT, tools: [TOOL] }, []],
    [{ response_format: FORMAT, reasoning_effort: 'high' }, []],
    [{ response_format: OPEN, tools: [TOOL] }, ['response_format']],
    [{ response_format: OPEN, reasoning_effort: 'high' }, ['reasoning_effort']],
    [{ tools: [TOOL], tool_choice: 'required', reasoning_effort: 'high' }, ['reasoning_effort']],
    [{ tools: [TOOL], tool_choice: 'required' }, []],
    [{ tool_choice: 'required', reasoning_effort: 'high' }, []],
    [{ temperature: 0.2, top_p: 0.5 }, ['top_p']],
    [{ temperature: 0.2, top_p: 1 }, []],
    [{ temperature: 1, top_p: 0.5 }, []],
    [{ reasoning_effort: 'low', top_p: 0.5 }, ['top_p']],
    [{ stop: ['\n', 'END'] }, ['stop']],
    [{ stop: '' }, ['stop']],
    [{ stop: 'END' }, []],
    [{ messages: CALLED, reasoning_effort: 'high' }, ['reasoning_effort']],
    [{ messages: CALLED, reasoning: { max_tokens: 2_000 } }, ['reasoning']],
    [{ messages: CALLED, reasoning_effort: 'none' }, []],
    [{ reasoning_effort: 'minimal' }, []],
    [{ reasoning_effort: 'constructor' }, ['reasoning_effort']],
    [{ reasoning: { effort: '__proto__' } }, ['reasoning']],
    [{ reasoning_effort: 'low', temperature: 0.2 }, ['temperature']],
    [{ reasoning_effort: 'low', temperature: 1 }, []],
    [{ temperature: 0.2 }, []],
    [{ n: 1 }, []],
    [{ n: 2 }, ['n']],
    [{ reasoning: { summary: 'auto' } }, ['reasoning']],
    [{ tools: [{ type: 'function', function: { name: 'weather', strict: true } }] }, ['tools.strict']],
    [{ tools: [{ type: 'function', function: { name: 'weather', strict: false } }] }, []],
    [{ tools: [{ type: 'custom', custom: { name: 'patch', format: { type: 'text' } } }] }, []],
    [
      { tools: [{ type: 'custom', custom: { name: 'patch', format: { type: 'grammar', grammar: {} } } }] },
      ['tools.format'],
    ],
    [{ messages: pictured('high') }, ['image_url.detail']],
    [{ messages: pictured('auto') }, []],
  ])('names what it loses of a request for chat completions: %o', async (fields, names) => {
    expect((await lossOf(fields)).names).toEqual(names)
  })

  it.each([
    ['low', 1_024],
    ['xhigh', 32_768],
    ['max', 32_768],
  ])('reasons by the effort %s with %i tokens', async (effort, tokens) => {
    const { names, sent } = await lossOf({ reasoning_effort: effort })
    expect(names).toEqual([])
    expect(sent).toMatchObject({ thinking: { type: 'enabled', budget_tokens: tokens } })
  })

  it('names what it loses of a call without a body, as of one with the gateway’s tools', async () => {
    const parameters = { seed: 1, frequencyPenalty: 1, presencePenalty: 1, choices: 2 }
    const { head } = await exchange({ parameters })
    expect(head.omitted).toEqual(['n', 'seed', 'frequency_penalty', 'presence_penalty'])
  })

  it('names of a request for Responses what no other format has, by the names of that format', async () => {
    const json = '{"model":"m","input":"Hi","prompt_cache_key":"k"}'
    const { head } = await exchange({
      parameters: { serviceTier: 'flex', responseFormat: { type: 'json-object' } },
      raw: {
        format: 'openai-responses',
        json,
        members: membersOf(json),
        untranslated: ['prompt_cache_key', 'tools[0].web_search'],
      },
    })
    expect(head.omitted).toEqual(['prompt_cache_key', 'tools[0].web_search', 'service_tier', 'text.format'])
  })
})

describe('an answer of Anthropic', () => {
  it('gives reasoning, text and parallel tool calls in order, streamed as whole', async () => {
    const whole = await exchange(
      {},
      {
        ...MESSAGE,
        content: [
          { type: 'thinking', thinking: 'Two calls.', signature: 's' },
          { type: 'text', text: 'Both.' },
          { type: 'tool_use', id: 'a', name: 'weather', input: { city: 'Köln' } },
          { type: 'tool_use', id: 'b', name: 'now', input: {} },
        ],
        stop_reason: 'tool_use',
      },
    )
    const streamed = await exchange(
      {},
      sse(
        { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Two ' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'calls.' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 's' } },
        { type: 'content_block_stop', index: 0 },
        { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: 'Both.' } },
        { type: 'content_block_stop', index: 1 },
        {
          type: 'content_block_start',
          index: 2,
          content_block: { type: 'tool_use', id: 'a', name: 'weather', input: {} },
        },
        {
          type: 'content_block_delta',
          index: 2,
          delta: { type: 'input_json_delta', partial_json: '{"city":"K' },
        },
        { type: 'content_block_delta', index: 2, delta: { type: 'input_json_delta', partial_json: 'öln"}' } },
        { type: 'content_block_stop', index: 2 },
        {
          type: 'content_block_start',
          index: 3,
          content_block: { type: 'tool_use', id: 'b', name: 'now', input: {} },
        },
        { type: 'content_block_stop', index: 3 },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' } },
        { type: 'message_stop' },
      ),
    )
    expect(whole.answer).toEqual({
      text: 'Both.',
      refusal: '',
      reasoning: [{ text: 'Two calls.', signature: 's' }],
      toolCalls: [
        { id: 'a', name: 'weather', arguments: '{"city":"Köln"}' },
        { id: 'b', name: 'now', arguments: '{}' },
      ],
      finish: { type: 'finish', reason: 'tool_calls', raw: 'tool_use' },
    })
    expect(streamed.answer).toEqual(whole.answer)
  })
})
