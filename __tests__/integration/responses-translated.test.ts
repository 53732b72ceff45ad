import OpenAI from 'openai'
import { zodTextFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { HOSTS } from '../support/gateway.ts'
import {
  callItem,
  eventsIn,
  nativeResponse,
  reasoningItem,
  responds,
} from '../support/responses-behaviour.ts'
import {
  type Behaviour,
  chunk,
  neverEnds,
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

const MODEL = 'gpt-4o'
/** At a provider that has chat completions alone. */
const TRANSLATED = 'openai-compatible/local'
const CALL = nativeResponse('resp_call', [
  reasoningItem('rs_1'),
  callItem('fc_1', 'call_1', 'weather', '{"city":"Köln"}'),
])
const CLOSED = { type: 'object', properties: {}, required: [], additionalProperties: false }
const WEATHER = {
  type: 'function',
  name: 'weather',
  description: 'The weather',
  parameters: { type: 'object', properties: { city: { type: 'string' } } },
  strict: false,
} as const

const call = (index: number, fields: object) => sse(chunk({ tool_calls: [{ index, ...fields }] }))

const callsTwoTools: Behaviour = sends([
  sse(chunk({ role: 'assistant', reasoning_content: 'Two' })),
  sse(chunk({ reasoning_content: ' cities.' })),
  call(0, { id: 'call_a', type: 'function', function: { name: 'weather', arguments: '' } }),
  call(0, { function: { arguments: '{"city":' } }),
  call(1, { id: 'call_b', type: 'function', function: { name: 'weather', arguments: '{"city":"Rom"}' } }),
  call(0, { function: { arguments: '"Köln"}' } }),
  streamEnd('tool_calls'),
])

describe.each(HOSTS)('POST /v1/responses, translated, under the %s server', host => {
  let setting: UpstreamGateway
  let through: OpenAI

  const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'sk-client-secret', maxRetries: 0 })
  const postTo = (base: string, body: object | string, headers: Record<string, string> = {}) =>
    fetch(`${base}/responses`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const post = (body: object | string, headers?: Record<string, string>) =>
    postTo(`${setting.gateway.url}/v1`, body, headers)
  const lastCall = () => setting.upstream.calls.at(-1)
  const lastBody = () => JSON.parse(lastCall()?.body ?? '{}')

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      OPENAI_COMPATIBLE_BASE_URL: baseUrl,
      AZURE_OPENAI_API_KEY: 'azure',
      AZURE_OPENAI_BASE_URL: baseUrl,
      METRICS_TOKEN: 'metrics-token-of-16',
    }))
    through = clientOf(`${setting.gateway.url}/v1`)
  })
  beforeEach(() => void setting.upstream.usually(says(['Hello', ' there', '!'])))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  describe('translated for an upstream that has chat completions alone', () => {
    it('streams every event of a text, numbered from 0, and no [DONE] (case 18)', async () => {
      const text = await (await post({ model: TRANSLATED, input: 'Hi', stream: true })).text()
      const events = eventsIn(text)
      expect(events.map(({ event }) => event)).toEqual([
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
        'response.output_text.delta',
        'response.output_text.delta',
        'response.output_text.delta',
        'response.output_text.done',
        'response.content_part.done',
        'response.output_item.done',
        'response.completed',
      ])
      expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index))
      expect(events.every(({ event, data }) => event === data.type)).toBe(true)
      expect(text).not.toContain('[DONE]')
      expect(events[0]?.data.response).toMatchObject({
        id: expect.stringMatching(/^resp_[0-9a-f]{32}$/),
        created_at: expect.any(Number),
        model: TRANSLATED,
        status: 'in_progress',
      })
      expect(events[0]?.data.response).not.toHaveProperty('usage')
      expect(events.at(-1)?.data.response).toMatchObject({
        status: 'completed',
        usage: {
          input_tokens: 7,
          output_tokens: 5,
          total_tokens: 12,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens_details: { reasoning_tokens: 0 },
        },
      })
    })

    it('gives the official client reasoning and parallel tool calls that come side by side (case 5, 7)', async () => {
      setting.upstream.usually(callsTwoTools)
      const asked = { model: TRANSLATED, input: 'Weather?', tools: [WEATHER] }
      const { output } = await through.responses.stream(asked).finalResponse()
      expect(output).toMatchObject([
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Two cities.' }] },
        { type: 'function_call', call_id: 'call_a', name: 'weather', arguments: '{"city":"Köln"}' },
        { type: 'function_call', call_id: 'call_b', name: 'weather', arguments: '{"city":"Rom"}' },
      ])
      expect(new Set(output.map(({ id }) => id)).size).toBe(3)
      expect(lastBody().tools).toEqual([
        {
          type: 'function',
          function: {
            name: 'weather',
            description: 'The weather',
            parameters: WEATHER.parameters,
            strict: false,
          },
        },
      ])
    })

    it('sends what the request says: items, parts, tools, format, effort and limits', async () => {
      const response = await post({
        model: TRANSLATED,
        instructions: 'Be brief.',
        input: [
          { role: 'developer', content: 'In English.' },
          {
            role: 'user',
            content: [
              { type: 'input_text', text: 'What is this?' },
              { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'low' },
              { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' },
            ],
          },
          { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: 'Hm' }] },
          {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'Let me look.', annotations: [] }],
          },
          { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'look', arguments: '{}' },
          { type: 'function_call', id: 'fc_2', call_id: 'call_2', name: 'look', arguments: '{"a":1}' },
          { type: 'function_call_output', call_id: 'call_1', output: 'a cat' },
          {
            type: 'function_call_output',
            call_id: 'call_2',
            output: [{ type: 'input_text', text: 'a dog' }],
          },
        ],
        tools: [
          WEATHER,
          { type: 'custom', name: 'patch', format: { type: 'grammar', syntax: 'lark', definition: 'x' } },
        ],
        tool_choice: { type: 'function', name: 'weather' },
        parallel_tool_calls: false,
        text: { format: { type: 'json_schema', name: 'answer', schema: CLOSED, strict: true } },
        reasoning: { effort: 'low' },
        max_output_tokens: 99,
        temperature: 0.5,
        top_p: 0.9,
        user: 'u1',
        metadata: { a: 'b' },
      })
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-params-dropped')).toBeNull()
      expect(await response.json()).toMatchObject({ metadata: { a: 'b' }, max_output_tokens: 99, top_p: 0.9 })
      const { messages, tools, ...sent } = lastBody()
      expect(messages).toEqual([
        { role: 'system', content: 'Be brief.' },
        { role: 'system', content: 'In English.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==', detail: 'low' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AA==' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Let me look.',
          reasoning_content: 'Hm',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } },
            { id: 'call_2', type: 'function', function: { name: 'look', arguments: '{"a":1}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'a cat' },
        { role: 'tool', tool_call_id: 'call_2', content: 'a dog' },
      ])
      expect(tools[1]).toEqual({
        type: 'custom',
        custom: { name: 'patch', format: { type: 'grammar', grammar: { syntax: 'lark', definition: 'x' } } },
      })
      expect(sent).toEqual({
        model: 'local',
        stream: false,
        max_tokens: 99,
        temperature: 0.5,
        top_p: 0.9,
        tool_choice: { type: 'function', function: { name: 'weather' } },
        parallel_tool_calls: false,
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', schema: CLOSED, strict: true },
        },
        reasoning_effort: 'low',
        user: 'u1',
      })
    })

    it('answers a custom tool’s call, an answer that was cut, and a refusal', async () => {
      const asked = { model: TRANSLATED, input: 'Hi', stream: true } as const
      const custom = { index: 0, id: 'call_c', type: 'custom', custom: { name: 'patch', input: '*** a' } }
      setting.upstream.usually(sends([sse(chunk({ tool_calls: [custom] })), streamEnd('tool_calls')]))
      expect((await through.responses.stream(asked).finalResponse()).output).toMatchObject([
        { type: 'custom_tool_call', call_id: 'call_c', name: 'patch', input: '*** a', status: 'completed' },
      ])
      setting.upstream.usually(says(['Hel'], { finish: 'length' }))
      expect(await through.responses.stream(asked).finalResponse()).toMatchObject({
        status: 'incomplete',
        incomplete_details: { reason: 'max_output_tokens' },
        output: [{ status: 'incomplete', content: [{ text: 'Hel' }] }],
      })
      setting.upstream.usually(
        sends([sse(chunk({ refusal: 'I ' })), sse(chunk({ refusal: 'won’t.' })), streamEnd()]),
      )
      expect(await through.responses.stream(asked).finalResponse()).toMatchObject({
        status: 'completed',
        output: [{ content: [{ type: 'refusal', refusal: 'I won’t.' }] }],
      })
    })

    it('lets the official client parse structured output', async () => {
      setting.upstream.usually(says(['{"city":', '"Köln"}']))
      const parsed = await through.responses.parse({
        model: TRANSLATED,
        input: 'Where?',
        text: { format: zodTextFormat(z.object({ city: z.string() }), 'place') },
      })
      expect(parsed.output_parsed).toEqual({ city: 'Köln' })
    })

    it('names what only OpenAI offers in x-gateway-params-dropped, or refuses it with its param (case 15)', async () => {
      const body = {
        model: TRANSLATED,
        input: 'Hi',
        tools: [WEATHER, { type: 'web_search' }, { type: 'mcp', server_label: 'x', server_url: 'https://x' }],
        tool_choice: { type: 'web_search' },
        include: ['reasoning.encrypted_content', 'file_search_call.results'],
        prompt_cache_key: 'k',
        'näme\n': 1,
      }
      const response = await post(body)
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-params-dropped')).toBe(
        'prompt_cache_key, n?me?, tools[1].web_search, tools[2].mcp, tool_choice, include.file_search_call.results',
      )
      expect(lastBody().tools).toHaveLength(1)
      expect(lastBody()).not.toHaveProperty('tool_choice')
      const strict = await post(
        { model: TRANSLATED, input: 'Hi', tools: [{ type: 'web_search' }] },
        { 'x-gateway-strict': 'true' },
      )
      expect(strict.status).toBe(400)
      expect(await strict.json()).toMatchObject({ error: { param: 'tools[0].web_search' } })
    })

    it('names no more of it than a header holds', async () => {
      const tools = Array.from({ length: 4_000 }, () => ({ type: 'web_search' }))
      const response = await post({ model: TRANSLATED, input: 'Hi', tools })
      expect(response.headers.get('x-gateway-params-dropped')).toMatch(/tools\[49\]\.web_search, \.\.\.$/)
    })

    it('sends neither a choice nor parallel calls where no tool is left', async () => {
      const tools = [{ type: 'web_search' }]
      await post({
        model: TRANSLATED,
        input: 'Hi',
        tools,
        tool_choice: 'required',
        parallel_tool_calls: true,
      })
      for (const name of ['tools', 'tool_choice', 'parallel_tool_calls'])
        expect(lastBody()).not.toHaveProperty(name)
    })

    it('ends a stream that fails with numbered error events (case 18)', async () => {
      setting.upstream.usually(sends([sse(chunk({ content: 'Hi' }))]))
      const text = await (await post({ model: TRANSLATED, input: 'Hi', stream: true })).text()
      const events = eventsIn(text)
      expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index))
      expect(events.slice(-2).map(({ event }) => event)).toEqual(['error', 'response.failed'])
      const { code, message } = events.at(-2)?.data ?? {}
      expect(code).toBe('provider_error')
      expect(events.at(-1)?.data.response).toMatchObject({
        status: 'failed',
        error: { code: 'server_error', message },
      })
      expect(text).not.toContain('[DONE]')
    })

    it('stops the upstream when the client leaves', async () => {
      const model = setting.upstream.modelThat(neverEnds({ paceMs: 5 }))
      const asked = { model: `openai-compatible/${model}`, input: 'Hi', stream: true } as const
      for await (const event of await through.responses.create(asked))
        if (event.type === 'response.output_text.delta') break
      await expect.poll(() => setting.upstream.callsFor(model)[0]?.abandonedAt).toBeDefined()
    })
  })

  describe('answers Codex CLI', () => {
    const codex = (model: string) => ({
      model,
      instructions: 'You are a coding agent running in the Codex CLI.',
      input: [
        { type: 'message', role: 'developer', content: [{ type: 'input_text', text: '<permissions/>' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'List the files.' }] },
      ],
      tools: [
        {
          type: 'function',
          name: 'exec_command',
          description: 'Runs a command',
          strict: false,
          parameters: { type: 'object', properties: { cmd: { type: 'string' } }, required: ['cmd'] },
        },
        {
          type: 'custom',
          name: 'apply_patch',
          description: 'Patches',
          format: { type: 'grammar', syntax: 'lark', definition: 'start: "x"' },
        },
        { type: 'web_search', external_web_access: false },
      ],
      tool_choice: 'auto',
      parallel_tool_calls: false,
      reasoning: { effort: 'medium', summary: 'auto' },
      store: false,
      stream: true,
      include: ['reasoning.encrypted_content'],
      prompt_cache_key: '0199a213-81c0-7800-8aa1-bbab2a035a53',
    })
    const headers = {
      accept: 'text/event-stream',
      'content-encoding': 'zstd',
      authorization: 'Bearer any',
      originator: 'codex_cli_rs',
      session_id: '0199a213-81c0-7800-8aa1-bbab2a035a53',
    }
    const send = async (body: object) => {
      const { zstdCompressSync } = await import('node:zlib')
      return fetch(`${setting.gateway.url}/v1/responses`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: new Uint8Array(zstdCompressSync(Buffer.from(JSON.stringify(body)))),
      })
    }

    it('through an upstream that has Responses, with its body unchanged', async () => {
      setting.upstream.usually(responds(CALL))
      const text = await (await send(codex(MODEL))).text()
      expect(eventsIn(text).at(-1)?.event).toBe('response.completed')
      expect(lastBody()).toEqual(codex(MODEL))
    })

    it('translated, down to response.completed', async () => {
      setting.upstream.usually(callsTwoTools)
      const response = await send(codex(TRANSLATED))
      const events = eventsIn(await response.text())
      expect(response.headers.get('x-gateway-params-dropped')).toBe('prompt_cache_key, tools[2].web_search')
      expect(events.at(-1)?.event).toBe('response.completed')
      expect(events.filter(({ event }) => event === 'response.output_item.done')).toHaveLength(3)
      expect(lastBody().tools.map(({ type }: { type: string }) => type)).toEqual(['function', 'custom'])
      const { id } = (events.at(0)?.data.response ?? {}) as { id: string }
      await expect(through.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
    })
  })
})
