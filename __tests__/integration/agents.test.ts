import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import { callsWeather, PIXEL, writes } from '../support/openai-behaviour.ts'
import { type Behaviour, completion, inTurn, refuses, sends } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const GPT = 'gpt-4o'

const dataOf = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(line => line.startsWith('data: {'))
    .map(line => JSON.parse(line.slice('data: '.length)))

/** What agents send that are not installed here, and what they need for an answer. */
describe.each(HOSTS)('agents through the %s server', host => {
  let setting: UpstreamGateway

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      OLLAMA_BASE_URL: baseUrl,
    }))
  })
  beforeEach(() => void setting.upstream.usually(writes('Hello', ' there')))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${setting.gateway.url}${path}`, { method, headers })
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(`${setting.gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const lastCall = () => {
    const call = setting.upstream.calls.at(-1)
    if (!call) throw new Error('The upstream was not called.')
    return call
  }
  const lastBody = () => JSON.parse(lastCall().body)
  const json = (value: object): Behaviour => sends([JSON.stringify(value)], { type: 'application/json' })

  describe('Claude Code with a model of another vendor', () => {
    const headers = {
      authorization: 'Bearer any',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14,unknown-2031-01-01',
      'x-app': 'cli',
      'user-agent': 'claude-cli/2.1.0 (external, cli)',
    }
    const body = (stream: boolean) => ({
      model: GPT,
      system: [
        { type: 'text', text: 'You are Claude Code.', cache_control: { type: 'ephemeral' } },
        { type: 'text', text: 'x'.repeat(1_500_000), cache_control: { type: 'ephemeral' } },
      ],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Weather?', cache_control: { type: 'ephemeral' } }] },
      ],
      tools: [
        {
          name: 'weather',
          description: 'The weather in a city.',
          input_schema: { type: 'object', properties: { city: { type: 'string' } } },
        },
      ],
      metadata: { user_id: `user_${'a'.repeat(64)}_account__session_1` },
      max_tokens: 32_000,
      thinking: { type: 'enabled', budget_tokens: 31_999 },
      context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
      stream,
    })

    it('gets its tool calls and stop reason from a body of more than 1 MB', async () => {
      setting.upstream.forModel(GPT, callsWeather('Köln', 'Bonn'))
      const response = await post('/v1/messages?beta=true', body(true), headers)
      expect(response.status).toBe(200)
      const events = dataOf(await response.text())
      expect(events.filter(({ type }) => type === 'content_block_start')).toMatchObject([
        { content_block: { type: 'tool_use', id: 'call_0', name: 'weather' } },
        { content_block: { type: 'tool_use', id: 'call_1', name: 'weather' } },
      ])
      expect(events.at(-2)).toMatchObject({ type: 'message_delta', delta: { stop_reason: 'tool_use' } })
      expect(events.at(-1)).toEqual({ type: 'message_stop' })
      expect(JSON.stringify(lastCall().headers)).not.toMatch(/anthropic|claude-cli|Bearer any/)
    })

    it('counts tokens, lists models, and finds /api/hello', async () => {
      const { max_tokens: _, stream: __, ...counted } = body(false)
      const count = await post('/v1/messages/count_tokens?beta=true', counted, headers)
      expect(count.status).toBe(200)
      expect(((await count.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(100)
      const models = await ask('/v1/models?limit=1000', headers)
      expect(await models.json()).toMatchObject({
        data: expect.arrayContaining([expect.objectContaining({ id: GPT, type: 'model' })]),
        has_more: false,
      })
      expect((await ask('/api/hello', headers, 'HEAD')).status).toBe(200)
    })
  })

  it('Codex CLI lists models by ?client_version, under models', async () => {
    const response = await ask('/v1/models?client_version=0.61.0', {
      authorization: 'Bearer any',
      originator: 'codex_cli_rs',
    })
    const { models } = (await response.json()) as { models: { slug: string }[] }
    expect(models.map(({ slug }) => slug)).toContain(GPT)
  })

  describe('Cline', () => {
    const headers = {
      authorization: 'Bearer any',
      accept: 'application/json',
      'http-referer': 'https://cline.bot',
      'x-title': 'Cline',
      'user-agent': 'OpenAI/JS 6.1.0',
      'x-stainless-lang': 'js',
      'x-stainless-retry-count': '0',
    }

    it('lists models, also at //models', async () => {
      for (const path of ['/v1/models', '/v1//models']) {
        const { data } = (await (await ask(path, headers)).json()) as { data: { id: string }[] }
        expect(data.map(({ id }) => id)).toContain(GPT)
      }
    })

    it('streams with its usage, and its body reaches the upstream as it is', async () => {
      const body = {
        model: GPT,
        messages: [
          { role: 'system', content: 'You are Cline.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: '<task>Look at this.</task>' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
            ],
          },
        ],
        temperature: 0,
        stream: true,
        stream_options: { include_usage: true },
      }
      setting.upstream.forModel(GPT, writes('<attempt_completion/>'))
      const chunks = dataOf(await (await post('/v1/chat/completions', body, headers)).text())
      expect(lastCall().body).toBe(JSON.stringify(body))
      expect(JSON.stringify(lastCall().headers)).not.toMatch(/cline/i)
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5 } })
    })

    it('gets an overlong conversation as context_length_exceeded, which makes it shorten', async () => {
      setting.upstream.forModel(GPT, refuses(400, { code: 'context_length_exceeded' }))
      const body = { model: GPT, messages: [{ role: 'user', content: 'Hi' }], stream: true }
      const response = await post('/v1/chat/completions', body, headers)
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'context_length_exceeded' } })
    })
  })

  describe('Continue, with its key in Authorization and in api-key', () => {
    const headers = { authorization: 'Bearer any', 'api-key': 'any' }

    it('chats, streamed', async () => {
      setting.upstream.forModel(GPT, writes('Hello', ' there'))
      const body = {
        model: GPT,
        messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
        max_tokens: 4_096,
        stream: true,
      }
      const text = await (await post('/v1/chat/completions', body, headers)).text()
      expect(text).toContain('Hello')
      expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    })

    it('completes code between a prompt and a suffix, by the older completions', async () => {
      const answer = {
        id: 'cmpl-1',
        object: 'text_completion',
        created: 1,
        model: 'fake',
        choices: [{ index: 0, text: 'return 1', finish_reason: 'stop', logprobs: null }],
        usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 },
      }
      setting.upstream.forModel('gpt-3.5-turbo-instruct', json(answer))
      const body = {
        model: 'gpt-3.5-turbo-instruct',
        prompt: 'function one() {',
        suffix: '}',
        max_tokens: 256,
        stop: ['\n\n'],
      }
      const response = await post('/v1/completions', body, headers)
      expect(await response.json()).toEqual(answer)
      expect(lastBody()).toEqual(body)
    })

    it('lists models, and asks /v1/responses', async () => {
      expect((await ask('/v1/models', headers)).status).toBe(200)
      const model = setting.upstream.modelThat(writes('Hello'))
      const response = await post('/v1/responses', { model: `ollama/${model}`, input: 'Hi' }, headers)
      expect(await response.json()).toMatchObject({ status: 'completed' })
    })
  })

  describe('Open WebUI, with include_usage, reasoning: {effort} and cache_control', () => {
    const body = (model: string) => ({
      stream: true,
      model,
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral' } }],
        },
      ],
      stream_options: { include_usage: true },
      reasoning: { effort: 'high' },
    })
    const send = (model: string) =>
      post('/v1/chat/completions', body(model), { authorization: 'Bearer any', 'x-openwebui-user-id': 'u1' })

    it('is answered with the usage by an upstream that takes all of it, unchanged', async () => {
      const model = setting.upstream.modelThat(writes('Hello'))
      const chunks = dataOf(await (await send(`ollama/${model}`)).text())
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 12 } })
      expect(lastCall().body).toBe(JSON.stringify(body(model)))
    })

    it('has its effort sent as reasoning_effort to an upstream that refuses reasoning, from then on at once', async () => {
      const error = {
        message: "Unknown parameter: 'reasoning'.",
        type: 'invalid_request_error',
        param: 'reasoning',
        code: 'unknown_parameter',
      }
      const model = setting.upstream.modelThat((response, asked, signal) =>
        ('reasoning' in asked ? refuses(400, { body: JSON.stringify({ error }) }) : writes('Hello'))(
          response,
          asked,
          signal,
        ),
      )
      for (const calls of [2, 3]) {
        const response = await send(`openai/${model}`)
        expect(await response.text()).toContain('Hello')
        expect(response.headers.has('x-gateway-params-dropped')).toBe(false)
        expect(setting.upstream.callsFor(model)).toHaveLength(calls)
        const { reasoning: _, ...others } = body(model)
        expect(lastBody()).toEqual({ ...others, reasoning_effort: 'high' })
      }
    })

    it('learns from x-gateway-params-dropped that neither form of the effort is taken', async () => {
      const refusal = (name: string) =>
        refuses(400, {
          body: JSON.stringify({
            error: { message: `Unknown parameter: '${name}'.`, param: name, code: 'unknown_parameter' },
          }),
        })
      const model = setting.upstream.modelThat(
        inTurn(refusal('reasoning'), refusal('reasoning_effort'), writes('Hello')),
      )
      const response = await send(`openai/${model}`)
      expect(response.headers.get('x-gateway-params-dropped')).toBe('reasoning')
      expect(lastBody()).not.toHaveProperty('reasoning_effort')
    })

    it('lists models, and makes titles without a stream', async () => {
      expect((await ask('/v1/models', { authorization: 'Bearer any' })).status).toBe(200)
      setting.upstream.forModel(GPT, json(completion(GPT, '{"title":"Hi"}')))
      const response = await post('/v1/chat/completions', {
        model: GPT,
        messages: [{ role: 'user', content: 'Make a title.' }],
        stream: false,
        max_completion_tokens: 1_000,
      })
      expect(await response.json()).toMatchObject({ choices: [{ message: { content: '{"title":"Hi"}' } }] })
    })
  })
})
