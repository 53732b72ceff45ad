import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { type ChatEvent, events, type Json, post, textOf } from '../support/chat.ts'
import { FakeService, json, openMeteoOn } from '../support/fake-service.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import {
  callItem,
  messageItem,
  nativeResponse,
  takesToolsInResponses,
} from '../support/responses-behaviour.ts'
import { anthropicModel, openAiModel, type Script, weatherCall } from '../support/tool-calling.ts'
import { USAGE } from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const AS_ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
/** Seven tokens in and five out of gpt-4o, in nanodollars. */
const ROUND_NANO = 7 * 2_500 + 5 * 10_000
const CLAUDE = 'claude-sonnet-4-5'
const WEATHER = [{ type: 'gateway', name: 'weather' }]
const QUESTION = {
  prompt: 'How warm is it in Berlin?',
  model: 'gpt-4o',
  tools: ['weather'],
  cache: 'no-store',
}
const MESSAGES = [{ role: 'user', content: 'How warm is it in Berlin?' }]

/** Calls `weather` once, and then answers with the temperature that it read. */
const asksOnce: Script = asked => {
  const result = [...asked.messages].reverse().find((one: Json) => one.role === 'tool')
  if (!result) return { text: 'Let me see. ', calls: [weatherCall('call_1', 'Berlin')] }
  return { text: `It is ${JSON.parse(result.content).data.temperature} degrees.` }
}
const asksForEver: Script = asked => ({ calls: [weatherCall(`call_${asked.messages.length}`, 'Berlin')] })

describe.each(HOSTS)('the gateway’s tools in a call, under the %s server', host => {
  let service: FakeService
  let upstream: FakeUpstream
  let claude: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    service = openMeteoOn(await FakeService.start())
    upstream = await FakeUpstream.start()
    claude = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ANTHROPIC_API_KEY: 'sk-ant-test',
      ANTHROPIC_BASE_URL: claude.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ADMIN_TOKEN,
      OPEN_METEO_BASE_URL: service.url,
      FRANKFURTER_BASE_URL: service.url,
      OPEN_ER_API_BASE_URL: service.url,
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await Promise.all([upstream?.stop(), claude?.stop(), service?.stop()])
  })
  afterEach(() => {
    upstream.calls.length = 0
    claude.calls.length = 0
    openMeteoOn(service)
  })

  const send = async (path: string, body: object, headers: Record<string, string> = {}) =>
    fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  /** What the ledger says of a request, once it is written. */
  const explain = async (requestId: string): Promise<Json> => {
    let explained: Json
    await expect
      .poll(async () => {
        const answer = await fetch(`${gateway.url}/api/requests/${requestId}`)
        explained = await answer.json()
        return answer.status
      })
      .toBe(200)
    return explained
  }
  const sent = (from: FakeUpstream): Json[] => from.calls.map(({ body }) => JSON.parse(body))
  const kinds = (found: readonly ChatEvent[]): string[] =>
    found.map(({ event, data }) => (event === 'tool' ? `tool ${data.name} ${data.state}` : event))

  it('are called over Responses, where the model takes tools only there', async () => {
    upstream.usually(
      takesToolsInResponses(asked => {
        const { input } = asked as Json
        const result = input.find((item: Json) => item.type === 'function_call_output')
        const call = callItem('fc_1', 'call_1', 'weather', JSON.stringify({ location: 'Berlin' }))
        const said = result && `It is ${JSON.parse(result.output).data.temperature} degrees.`
        return nativeResponse('resp_1', [said ? messageItem('msg_1', said) : call])
      }),
    )
    const asked = { ...QUESTION, model: 'gpt-5.6-terra', stream: true }
    const found = await events(await post(gateway.url, asked))
    expect([...new Set(kinds(found))]).toEqual([
      'start',
      'tool weather running',
      'tool weather done',
      'delta',
      'done',
    ])
    expect(textOf(found)).toBe('It is 3.4 degrees.')
    expect(upstream.calls.map(({ path }) => path)).toEqual([
      '/v1/chat/completions',
      '/v1/responses',
      '/v1/responses',
    ])
  })

  it('are called, run and answered within one stream of /api/chat, whose usage and cost are those of both rounds', async () => {
    upstream.usually(openAiModel(asksOnce))
    const found = await events(await post(gateway.url, { ...QUESTION, stream: true }))
    expect(kinds(found)).toEqual([
      'start',
      'delta',
      'tool weather running',
      'tool weather done',
      'delta',
      'done',
    ])
    expect(textOf(found)).toBe('Let me see. It is 3.4 degrees.')
    expect(found[3]?.data).toMatchObject({
      id: 'call_1',
      result: {
        tool: 'weather',
        untrusted: true,
        attribution: expect.any(String),
        data: { temperature: 3.4 },
      },
    })
    expect(found.at(-1)?.data).toMatchObject({
      finishReason: 'stop',
      usage: { inputTokens: 2 * USAGE.prompt_tokens, outputTokens: 2 * USAGE.completion_tokens },
      costUsd: (2 * ROUND_NANO) / 1e9,
    })
    const [first, second] = sent(upstream)
    expect(first.tools).toMatchObject([{ type: 'function', function: { name: 'weather', parameters: {} } }])
    expect(second.messages.slice(1)).toMatchObject([
      { role: 'assistant', content: 'Let me see. ', tool_calls: [{ id: 'call_1' }] },
      { role: 'tool', tool_call_id: 'call_1', content: expect.stringContaining('"untrusted":true') },
    ])
  })

  it('are in a whole answer with their results', async () => {
    upstream.usually(openAiModel(asksOnce))
    const body = await (await post(gateway.url, QUESTION)).json()
    expect(body).toMatchObject({
      content: 'Let me see. It is 3.4 degrees.',
      tools: [{ id: 'call_1', name: 'weather', state: 'done', result: { service: 'open-meteo' } }],
      usage: { inputTokens: 14, outputTokens: 10 },
      costUsd: (2 * ROUND_NANO) / 1e9,
    })
  })

  it('run in parallel, and their results are in the order of the calls', async () => {
    const { promise: weatherDone, resolve: release } = Promise.withResolvers<void>()
    service.on('/v1/latest', async response => {
      await weatherDone
      json({ base: 'USD', rates: { EUR: 0.9 } })(response, service.received[0] as never)
    })
    upstream.usually(
      openAiModel(asked =>
        asked.messages.length > 1
          ? { text: 'Done.' }
          : {
              calls: [
                { id: 'slow', name: 'currency', input: { from: 'USD', to: 'EUR' } },
                weatherCall('fast', 'Berlin'),
              ],
            },
      ),
    )
    const response = await post(gateway.url, { ...QUESTION, tools: ['currency', 'weather'], stream: true })
    let body = ''
    for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      body += text
      if (/"name":"weather","state":"done"/.test(body)) release()
    }
    const found = await events(new Response(body))
    expect(kinds(found).filter(kind => kind.startsWith('tool'))).toEqual([
      'tool currency running',
      'tool weather running',
      'tool weather done',
      'tool currency done',
    ])
    const ids = sent(upstream)[1].messages.filter((one: Json) => one.role === 'tool')
    expect(ids.map((one: Json) => one.tool_call_id)).toEqual(['slow', 'fast'])
  })

  it.each([true, false])(
    'are used in OpenAI’s format (stream: %s), of which the upstream sees functions alone',
    async stream => {
      upstream.usually(openAiModel(asksOnce))
      const response = await send('/v1/chat/completions', {
        model: 'gpt-4o',
        messages: MESSAGES,
        tools: WEATHER,
        stream,
        stream_options: stream ? { include_usage: true } : undefined,
        tool_choice: 'required',
        logit_bias: {},
      })
      expect(response.status).toBe(200)
      expect(response.headers.get('x-gateway-params-dropped')).toBe('logit_bias')
      const text = await response.text()
      const whole = stream
        ? text
            .split('\n')
            .filter(line => line.startsWith('data: {'))
            .map(line => JSON.parse(line.slice(6)))
        : [JSON.parse(text)]
      const content = whole
        .map(one => (one.choices[0]?.delta ?? one.choices[0]?.message)?.content ?? '')
        .join('')
      expect(content).toBe('Let me see. It is 3.4 degrees.')
      expect(text).not.toContain('tool_calls')
      expect(whole.at(-1).usage).toMatchObject({ prompt_tokens: 14, completion_tokens: 10 })
      expect(JSON.stringify(sent(upstream))).not.toContain('"gateway"')
      expect(sent(upstream).map(one => one.tool_choice)).toEqual(['required', 'auto'])
    },
  )

  it.each([true, false])('are used in Anthropic’s format at Anthropic (stream: %s)', async stream => {
    claude.usually(
      anthropicModel(asked => {
        const results = asked.messages.flatMap((one: Json) => (Array.isArray(one.content) ? one.content : []))
        const result = results.find((one: Json) => one.type === 'tool_result')
        return result
          ? { text: 'It is cold.' }
          : { text: 'Let me see. ', calls: [weatherCall('toolu_1', 'Berlin')] }
      }),
    )
    const response = await send('/v1/messages', {
      model: CLAUDE,
      max_tokens: 100,
      messages: MESSAGES,
      tools: [...WEATHER, { name: 'mine', input_schema: { type: 'object' } }],
      stream,
    })
    const text = await response.text()
    expect(response.status, text).toBe(200)
    expect(text).toContain('It is cold.')
    expect(text).toContain('end_turn')
    expect(text).not.toContain('tool_use')
    const [first, second] = sent(claude)
    expect(first.tools.map((one: Json) => one.name)).toEqual(['mine', 'weather'])
    expect(JSON.stringify(first)).not.toContain('"gateway"')
    expect(second.messages.slice(1)).toMatchObject([
      { role: 'assistant', content: [{ type: 'text' }, { type: 'tool_use', id: 'toolu_1' }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] },
    ])
  })

  it.each([true, false])('are used in the format of Responses (stream: %s)', async stream => {
    upstream.usually(openAiModel(asksOnce))
    const body = { model: 'gpt-4o', input: 'How warm is it?', tools: WEATHER, stream, store: false }
    const response = await send('/v1/responses', body)
    const text = await response.text()
    expect(response.status, text).toBe(200)
    expect(text).toContain('It is 3.4 degrees.')
    expect(text).not.toContain('function_call')
    expect(upstream.calls.length).toBe(2)
  })

  it('mix with the client’s own: ours are run, the client’s go back to it, and the next turn has both', async () => {
    const tools = [
      ...WEATHER,
      { type: 'function', function: { name: 'lookup', parameters: { type: 'object' } } },
    ]
    upstream.usually(
      openAiModel(asked => {
        const results = asked.messages.filter((one: Json) => one.role === 'tool')
        if (results.length === 2) return { text: `Both: ${results.map((one: Json) => one.tool_call_id)}` }
        if (results.length === 1) return { text: 'The other one is missing.' }
        return {
          text: 'Two things. ',
          calls: [weatherCall('own', 'Berlin'), { id: 'theirs', name: 'lookup', input: { a: 1, b: 2 } }],
        }
      }),
    )
    const first = await (
      await send('/v1/chat/completions', { model: 'gpt-4o', messages: MESSAGES, tools })
    ).json()
    const [{ message, finish_reason: reason }] = first.choices
    expect(reason).toBe('tool_calls')
    expect(message.tool_calls).toMatchObject([{ id: 'theirs', function: { name: 'lookup' } }])
    const next = {
      model: 'gpt-4o',
      tools,
      messages: [
        ...MESSAGES,
        {
          role: 'assistant',
          content: message.content,
          // As another client would write the same arguments.
          tool_calls: [
            { id: 'theirs', type: 'function', function: { name: 'lookup', arguments: '{"b": 2, "a": 1}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'theirs', content: 'found' },
      ],
    }
    const second = await (await send('/v1/chat/completions', next)).json()
    expect(second.choices[0].message.content).toBe('Both: own,theirs')
    expect(sent(upstream).at(-1).messages.slice(1)).toMatchObject([
      { role: 'assistant', tool_calls: [{ id: 'own' }, { id: 'theirs' }] },
      { role: 'tool', tool_call_id: 'own', content: expect.stringContaining('3.4') },
      { role: 'tool', tool_call_id: 'theirs', content: 'found' },
    ])
    const other = await send('/v1/chat/completions', next, { authorization: AS_ADMIN.authorization })
    expect((await other.json()).choices[0].message.content).toBe('The other one is missing.')
  })

  it('mix with the client’s own in Anthropic’s format, all results of a turn in one message', async () => {
    const tools = [...WEATHER, { name: 'lookup', input_schema: { type: 'object' } }]
    claude.usually(
      anthropicModel(asked =>
        asked.messages.length > 1
          ? { text: 'Done.' }
          : {
              text: 'Two things. ',
              calls: [{ id: 'theirs', name: 'lookup', input: { a: 1 } }, weatherCall('own', 'Berlin')],
            },
      ),
    )
    const body = { model: CLAUDE, max_tokens: 100, tools }
    const first = await (await send('/v1/messages', { ...body, messages: MESSAGES })).json()
    expect(first).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'text' }, { type: 'tool_use', id: 'theirs', input: { a: 1 } }],
    })
    const result = { type: 'tool_result', tool_use_id: 'theirs', content: 'found' }
    const messages = [
      ...MESSAGES,
      { role: 'assistant', content: first.content },
      { role: 'user', content: [result] },
    ]
    const second = await (await send('/v1/messages', { ...body, messages })).json()
    expect(second.content).toMatchObject([{ text: 'Done.' }])
    expect(sent(claude).at(-1).messages.slice(1)).toMatchObject([
      { role: 'assistant', content: [{ text: 'Two things. ' }, { id: 'theirs' }, { id: 'own' }] },
      { role: 'user', content: [{ tool_use_id: 'own' }, { tool_use_id: 'theirs' }] },
    ])
  })

  it('mix with the client’s own in the format of Responses, continued by the answer’s id', async () => {
    const tools = [...WEATHER, { type: 'function', name: 'lookup', parameters: { type: 'object' } }]
    upstream.usually(
      openAiModel(asked => {
        const results = asked.messages.filter((one: Json) => one.role === 'tool')
        if (results.length > 0) return { text: `${results.map((one: Json) => one.tool_call_id)}` }
        return {
          text: 'Two things. ',
          calls: [weatherCall('own', 'Berlin'), { id: 'theirs', name: 'lookup', input: {} }],
        }
      }),
    )
    const body = { model: 'gpt-4o', tools }
    const first = await (await send('/v1/responses', { ...body, input: 'Two things?' })).json()
    expect(first.output.map((one: Json) => one.type)).toEqual(['message', 'function_call'])
    const input = [{ type: 'function_call_output', call_id: 'theirs', output: 'found' }]
    const second = await (
      await send('/v1/responses', { ...body, previous_response_id: first.id, input })
    ).json()
    expect(second.output[0].content[0].text).toBe('own,theirs')
    const roles = sent(upstream)
      .at(-1)
      .messages.map((one: Json) => one.role)
    expect(roles).toEqual(['user', 'assistant', 'tool', 'tool'])
  })

  it('stop after 8 rounds of a model that calls them for ever, each billed once', async () => {
    upstream.usually(openAiModel(asksForEver))
    const requestId = `endless-${host}`
    const headers = { 'x-request-id': requestId }
    const body = await (await post(gateway.url, QUESTION, { headers })).json()
    expect(body).toMatchObject({
      finishReason: 'length',
      usage: { inputTokens: 8 * 7, outputTokens: 8 * 5 },
      costUsd: (8 * ROUND_NANO) / 1e9,
      warnings: [expect.stringContaining('after 8 rounds')],
    })
    expect(upstream.calls.length).toBe(8)
    expect(sent(upstream).map(one => one.tool_choice)).toEqual([...Array(7).fill(undefined), 'none'])
    await gateway.lineOf(requestId)
    const explained = await explain(requestId)
    expect(explained.attempts.length).toBe(8)
    const costs = explained.attempts.map((one: Json) => Math.round(one.costUsd * 1e9))
    expect(costs).toEqual(Array(8).fill(ROUND_NANO))
    expect(explained.tools).toEqual(Array(7).fill({ tool: 'weather', state: 'done' }))
  })

  it('fail as results, from which the model goes on', async () => {
    service.on('/v1/search', json({}, 500))
    upstream.usually(
      openAiModel(asked => {
        const result = asked.messages.find((one: Json) => one.role === 'tool')
        if (result) return { text: `No weather: ${JSON.parse(result.content).error.reason}` }
        return {
          calls: [weatherCall('call_f', 'Hamburg'), { id: 'call_g', name: 'weather', input: '{"loc' }],
        }
      }),
    )
    const found = await events(await post(gateway.url, { ...QUESTION, stream: true }))
    const failed = found
      .filter(({ data }) => data.state === 'failed')
      .map(({ data }) => data.result.error.reason)
    expect(failed.toSorted()).toEqual(['arguments', 'error'])
    expect(textOf(found)).toBe('No weather: error')
    expect(found.at(-1)).toMatchObject({ event: 'done', data: { finishReason: 'stop' } })
  })

  it('end with their client: the service is left within 250 ms, and no model is asked again', async () => {
    service.on('/v1/search', () => {})
    upstream.usually(openAiModel(() => ({ calls: [weatherCall('call_a', 'Bremen')] })))
    const before = service.abandoned
    const leaving = new AbortController()
    const response = await post(gateway.url, { ...QUESTION, stream: true }, { signal: leaving.signal })
    await expect.poll(() => service.received.at(-1)?.url.searchParams.get('name')).toBe('Bremen')
    leaving.abort()
    await response.text().catch(() => {})
    await expect.poll(() => service.abandoned, { timeout: 500 }).toBe(before + 1)
    expect(upstream.calls.length).toBe(1)
  })

  it('are in a stream that is resumed, and in an answer from the cache', async () => {
    upstream.usually(openAiModel(asksOnce))
    const question = { ...QUESTION, prompt: `Again, ${host}?`, stream: true, cache: 'default' }
    const cookie =
      (await fetch(`${gateway.url}/api/session`, { method: 'POST' })).headers.get('set-cookie') ?? ''
    const headers = { cookie: cookie.split(';')[0] ?? '' }
    const first = await post(gateway.url, question, { headers: { ...headers, 'x-gateway-resume': 'true' } })
    const id = first.headers.get('x-gateway-stream-id')
    const all = await events(first)
    const resumed = await fetch(`${gateway.url}/api/chat/${id}/stream`, { headers })
    expect(kinds(await events(resumed))).toEqual(kinds(all))
    const cached = await events(await post(gateway.url, question, { headers }))
    expect(cached.at(-1)?.data).toMatchObject({ cache: 'hit', costUsd: 0, usage: { inputTokens: 14 } })
    expect(cached.filter(({ event }) => event === 'tool').map(({ data }) => data)).toEqual(
      all.filter(({ event }) => event === 'tool').map(({ data }) => data),
    )
    expect(upstream.calls.length).toBe(2)
  })

  it('run for an item of a batch, whose result lists them', async () => {
    upstream.usually(openAiModel(asksOnce))
    const batches = new BatchClient(gateway.url)
    const { id } = await batches.submit([
      { prompt: `Batch, ${host}?`, model: 'gpt-4o', tools: ['weather'], cache: 'no-store' },
    ])
    const job = await batches.until(id, ({ counts }) => counts.succeeded === 1)
    expect(job.costUsd).toBeCloseTo((2 * ROUND_NANO) / 1e9, 12)
    const results = await (await batches.ask(`/jobs/${id}/results?format=jsonl`)).json()
    expect(results).toMatchObject({
      content: 'Let me see. It is 3.4 degrees.',
      tools: [{ name: 'weather', state: 'done' }],
    })
  })

  it.each([
    ['/api/chat', { ...QUESTION, tools: ['nothing'] }],
    [
      '/v1/chat/completions',
      { model: 'gpt-4o', messages: MESSAGES, tools: [{ type: 'gateway', name: 'nothing' }] },
    ],
    ['/v1/chat/completions', { model: 'gpt-4o', messages: MESSAGES, tools: [{ type: 'gateway' }] }],
    ['/v1/messages', { model: CLAUDE, max_tokens: 9, messages: MESSAGES, tools: [{ type: 'gateway' }] }],
    ['/v1/responses', { model: 'gpt-4o', input: 'x', tools: [{ type: 'gateway' }] }],
    [
      '/v1/chat/completions',
      {
        model: 'gpt-4o',
        messages: MESSAGES,
        tools: [...WEATHER, { type: 'function', function: { name: 'weather' } }],
      },
    ],
  ])('are refused in %s with 400 where they are unknown, nameless or named twice', async (path, body) => {
    const answer = await send(path, body)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toMatch(/tool/)
    expect(upstream.calls).toEqual([])
  })

  it('end with a warning where the budget does not suffice for another round', async () => {
    const usage = { prompt_tokens: 10, completion_tokens: 800, total_tokens: 810 }
    upstream.usually(openAiModel(asksForEver, usage))
    const key = await (
      await send(
        '/api/admin/keys',
        { name: 'small', owner: `small-${host}`, budgetUsd: { day: 0.02 } },
        AS_ADMIN,
      )
    ).json()
    const headers = { authorization: `Bearer ${key.key}` }
    const answer = await post(gateway.url, { ...QUESTION, maxTokens: 900 }, { headers })
    const body = await answer.json()
    expect(body).toMatchObject({
      finishReason: 'length',
      warnings: [expect.stringContaining('budget')],
      tools: [{ state: 'done' }, { state: 'done' }],
      usage: { outputTokens: 1_600 },
    })
    expect(upstream.calls.length).toBe(2)
  })
})
