import { Chat } from '@ai-sdk/react'
import { DefaultChatTransport, lastAssistantMessageIsCompleteWithToolCalls, type UIMessage } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeService, openMeteoOn } from '../support/fake-service.ts'
import { HOSTS } from '../support/gateway.ts'
import { openAiModel } from '../support/tool-calling.ts'
import {
  type Behaviour,
  chunk,
  neverEnds,
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

const MODEL = 'openai/gpt-4o'
const EXTRA = { google: { thought_signature: 'sig' } }
const streams = (...deltas: readonly object[]): Behaviour =>
  sends([...deltas.map(delta => sse(chunk(delta))), ...streamEnd()])
const fragment = (index: number, fields: object) => ({ tool_calls: [{ index, ...fields }] })
const textOf = ({ parts }: UIMessage): string =>
  parts.map(part => (part.type === 'text' ? part.text : '')).join('')

describe.each(HOSTS)('the AI SDK’s useChat with POST /api/chat under the %s server', host => {
  let setting: UpstreamGateway
  let service: FakeService

  beforeAll(async () => {
    service = openMeteoOn(await FakeService.start())
    setting = await startUpstreamGateway(host, () => ({
      OPEN_METEO_BASE_URL: service.url,
      OPEN_METEO_GEOCODING_BASE_URL: service.url,
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
    }))
  })
  beforeEach(() => void setting.upstream.usually(says(['Hello', ' there', '!'])))
  afterAll(async () => {
    await stopUpstreamGateway(setting ?? {})
    await service?.stop()
  })

  const chat = (more: object = {}) =>
    new Chat({
      transport: new DefaultChatTransport({
        api: `${setting.gateway.url}/api/chat`,
        body: { model: MODEL, fallback: false, tenant: 'an extra field' },
      }),
      ...more,
    })
  const asked = () => JSON.parse(setting.upstream.calls.at(-1)?.body ?? '{}').messages
  const last = ({ messages }: { messages: UIMessage[] }): UIMessage => {
    const message = messages.at(-1)
    if (!message) throw new Error('There is no message.')
    return message
  }

  it('streams an answer, with facts about it as its metadata, and sends the conversation with the next question', async () => {
    const session = chat()
    await session.sendMessage({ text: 'Hi' })
    expect([session.status, session.error]).toEqual(['ready', undefined])
    expect(last(session)).toMatchObject({
      id: expect.stringMatching(/^chat_/),
      role: 'assistant',
      metadata: {
        model: MODEL,
        provider: 'openai',
        cache: 'bypass',
        finishReason: 'stop',
        usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) },
        latencyMs: expect.any(Number),
      },
    })
    expect(last(session).parts).toEqual([
      { type: 'step-start' },
      { type: 'text', text: 'Hello there!', state: 'done' },
    ])
    await session.sendMessage({ text: 'And now?' })
    expect(asked()).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello there!' }] },
      { role: 'user', content: [{ type: 'text', text: 'And now?' }] },
    ])
    await session.regenerate()
    expect(session.messages).toHaveLength(4)
  })

  it('says that it is a UI message stream, each chunk a line of data, with [DONE] at its end', async () => {
    const body = { messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }], model: MODEL }
    const answer = await fetch(`${setting.gateway.url}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect(answer.headers.get('x-vercel-ai-ui-message-stream')).toBe('v1')
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const lines = (await answer.text()).split('\n\n').filter(Boolean)
    expect(lines.at(-1)).toBe('data: [DONE]')
    const types = lines.slice(0, -1).map(line => JSON.parse(line.replace(/^data: /, '')).type)
    expect(types.filter(type => type !== 'text-delta')).toEqual([
      'start',
      'start-step',
      'text-start',
      'text-end',
      'finish-step',
      'finish',
    ])
  })

  it('shows reasoning before the answer', async () => {
    setting.upstream.usually(
      streams({ reasoning_content: 'Let me' }, { reasoning_content: ' think.' }, { content: 'Four.' }),
    )
    const session = chat()
    await session.sendMessage({ text: '2 + 2?' })
    expect(last(session).parts).toMatchObject([
      { type: 'step-start' },
      { type: 'reasoning', text: 'Let me think.', state: 'done' },
      { type: 'text', text: 'Four.', state: 'done' },
    ])
  })

  it('sends images and files', async () => {
    const session = chat()
    await session.sendMessage({
      text: 'What is this?',
      files: [{ type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' }],
    })
    expect(last(session).role).toBe('assistant')
    expect(asked()[0].content).toContainEqual({
      type: 'image_url',
      image_url: { url: 'data:image/png;base64,AAAA' },
    })
  })

  describe('and tools of the gateway', () => {
    const withTools = (tools: unknown) =>
      chat({
        transport: new DefaultChatTransport({
          api: `${setting.gateway.url}/api/chat`,
          body: { model: MODEL, fallback: false, tools },
        }),
      })
    const asksFor = (location: string) =>
      openAiModel(request =>
        request.messages.some(({ role }: { role: string }) => role === 'tool')
          ? { text: 'It is 3.4 degrees.' }
          : { text: 'Let me see. ', calls: [{ id: 'call_1', name: 'weather', input: { location } }] },
      )

    it('shows each run as a tool of the provider, with its arguments, its result and its attribution', async () => {
      setting.upstream.usually(asksFor('Berlin'))
      const session = withTools(['weather'])
      await session.sendMessage({ text: 'How warm is it?' })
      expect([session.status, session.error]).toEqual(['ready', undefined])
      expect(last(session).parts).toMatchObject([
        { type: 'step-start' },
        { type: 'text', text: 'Let me see. ' },
        {
          type: 'dynamic-tool',
          toolName: 'weather',
          toolCallId: 'call_1',
          state: 'output-available',
          providerExecuted: true,
          input: { location: 'Berlin' },
          output: {
            tool: 'weather',
            attribution: expect.any(String),
            untrusted: true,
            data: { temperature: 3.4 },
          },
        },
        { type: 'step-start' },
        { type: 'text', text: 'It is 3.4 degrees.' },
      ])
      await session.sendMessage({ text: 'And now?' })
      expect(asked().map(({ role }: { role: string }) => role)).toEqual([
        'user',
        'assistant',
        'tool',
        'assistant',
        'user',
      ])
    })

    it('shows a run that failed with why, and goes on with the answer', async () => {
      setting.upstream.usually(asksFor(''))
      const session = withTools(['weather'])
      await session.sendMessage({ text: 'How warm is it nowhere?' })
      expect(last(session).parts).toMatchObject([
        { type: 'step-start' },
        { type: 'text' },
        {
          type: 'dynamic-tool',
          state: 'output-error',
          providerExecuted: true,
          errorText: expect.stringMatching(/./),
        },
        { type: 'step-start' },
        { type: 'text', text: 'It is 3.4 degrees.' },
      ])
    })

    it('sends no call back to the model whose tool is not offered again', async () => {
      setting.upstream.usually(asksFor('Berlin'))
      const session = withTools(['weather'])
      await session.sendMessage({ text: 'How warm is it?' })
      const later = withTools(undefined)
      later.messages = session.messages
      await later.sendMessage({ text: 'Thanks' })
      const roles = asked().map(({ role }: { role: string }) => role)
      expect(roles).toEqual(['user', 'assistant', 'assistant', 'user'])
      expect(JSON.stringify(asked())).not.toContain('call_1')
    })

    it('ignores tools of another form, which are the application’s own', async () => {
      const session = withTools({ lookup: { description: 'Of the application' } })
      await session.sendMessage({ text: 'Hi' })
      expect(textOf(last(session))).toBe('Hello there!')
    })
  })

  it('gives two calls of tools at once to the page, and goes on in the same message with their results', async () => {
    setting.upstream.usually((response, request, signal) => {
      const hasResults = request.messages.some(({ role }) => role === 'tool')
      const behaviour = hasResults
        ? says(['It is warm in both.'])
        : streams(
            fragment(0, {
              id: 'call_1',
              type: 'function',
              function: { name: 'weather', arguments: '{"city":' },
              extra_content: EXTRA,
            }),
            fragment(1, { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '' } }),
            fragment(0, { function: { arguments: '"Köln"}' } }),
            fragment(1, { function: { arguments: '{"city":"Rom"}' } }),
          )
      return behaviour(response, request, signal)
    })
    const session = chat({ sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithToolCalls })
    await session.sendMessage({ text: 'Weather?' })
    const calls = last(session).parts.filter(({ type }) => type === 'tool-weather')
    expect(calls).toMatchObject([
      {
        toolCallId: 'call_1',
        state: 'input-available',
        input: { city: 'Köln' },
        // It comes back with the conversation.
        callProviderMetadata: { parley: { extraContent: EXTRA } },
      },
      { toolCallId: 'call_2', state: 'input-available', input: { city: 'Rom' } },
    ])
    await session.addToolOutput({ tool: 'weather', toolCallId: 'call_1', output: { degrees: 21 } })
    await session.addToolOutput({
      tool: 'weather',
      toolCallId: 'call_2',
      state: 'output-error',
      errorText: 'down',
    })
    await expect.poll(() => textOf(last(session))).toBe('It is warm in both.')
    expect(session.messages).toHaveLength(2)
    expect(asked().slice(1)).toEqual([
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } },
          { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{"city":"Rom"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'call_1', content: '{"degrees":21}' },
      { role: 'tool', tool_call_id: 'call_2', content: 'down' },
    ])
  })

  it('reports a refusal before the answer, and a failure within it', async () => {
    setting.upstream.usually(refuses(400))
    const refused = chat()
    await refused.sendMessage({ text: 'Hi' })
    expect(refused.status).toBe('error')
    expect(JSON.parse(refused.error?.message ?? '{}').error).toMatchObject({ code: expect.any(String) })
    setting.upstream.usually((response, _, signal) =>
      sends([sse(chunk({ content: 'Half' }))])(response, _, signal),
    )
    const cut = chat()
    await cut.sendMessage({ text: 'Hi' })
    expect(cut.status).toBe('error')
    expect(cut.error?.message).toMatch(/\.$/)
    expect(textOf(last(cut))).toBe('Half')
  })

  it('stops, and with it the upstream', async () => {
    const model = setting.upstream.modelThat(neverEnds({ paceMs: 5 }))
    const session = chat({
      transport: new DefaultChatTransport({
        api: `${setting.gateway.url}/api/chat`,
        body: { model: `openai/${model}` },
      }),
    })
    const sent = session.sendMessage({ text: 'Hi' })
    await expect.poll(() => session.messages.length).toBe(2)
    await session.stop()
    await sent
    expect(session.status).toBe('ready')
    await expect.poll(() => setting.upstream.open.length).toBe(0)
  })

  it.each([
    ['no message', [], 'messages'],
    ['a part without its text', [{ role: 'user', parts: [{ type: 'text' }] }], 'messages[0].parts[0].text'],
    ['an unknown role', [{ role: 'tool', parts: [] }], 'messages[0].role'],
    ['nothing for the model', [{ role: 'user', parts: [{ type: 'data-weather', data: 1 }] }], 'messages'],
  ])('refuses %s with its path', async (_, messages, path) => {
    const answer = await fetch(`${setting.gateway.url}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages, model: MODEL }),
    })
    const { error } = (await answer.json()) as { error: { code: string; details: { path: string }[] } }
    expect([answer.status, error.code]).toEqual([400, 'INVALID_INPUT'])
    expect(error.details.map(one => one.path)).toContain(path)
  })
})
