import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import { callItem, eventsIn, nativeResponse, responds } from '../support/responses-behaviour.ts'
import { type Behaviour, chunk, completion, sends, sse, streamEnd } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Köln"}' } }

const chatCall: Behaviour = (response, asked, signal) =>
  asked.stream
    ? sends([
        sse(chunk({ reasoning_content: 'Hm' })),
        sse(chunk({ tool_calls: [{ index: 0, ...CALL }] })),
        streamEnd('tool_calls'),
      ])(response, asked, signal)
    : sends(
        [
          JSON.stringify({
            ...completion('local', '', 'tool_calls'),
            choices: [
              { index: 0, message: { content: null, tool_calls: [CALL] }, finish_reason: 'tool_calls' },
            ],
          }),
        ],
        { type: 'application/json' },
      )(response, asked, signal)

const nativeCall = responds(nativeResponse('resp_0', [callItem('fc_1', 'call_1', 'weather', '{"a":1}')]))

describe.each(HOSTS)('A repeated request for Responses under the %s server', host => {
  let setting: UpstreamGateway
  const post = (body: object, path = 'responses') =>
    fetch(`${setting.gateway.url}/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({ OPENAI_COMPATIBLE_BASE_URL: baseUrl }))
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  it.each([
    ['translated', 'openai-compatible', chatCall],
    ['passed on', 'openai', nativeCall],
  ] as const)(
    'gets the cached and the coalesced tool call of the first one: %s',
    async (_, provider, answers) => {
      for (const stream of [false, true]) {
        const name = setting.upstream.modelThat(answers)
        const body = { model: `${provider}/${name}`, input: 'Weather?', stream }
        const together = await Promise.all([post(body), post(body)])
        const texts = await Promise.all(together.map(response => response.text()))
        const cached = await post(body)
        expect(cached.headers.get('x-gateway-cache')).toBe('hit')
        texts.push(await cached.text())
        expect(setting.upstream.callsFor(name)).toHaveLength(1)
        const responses = texts.map(text =>
          stream ? eventsIn(text).at(-1)?.data.response : JSON.parse(text),
        )
        expect(responses[0].output.at(-1)).toMatchObject({ type: 'function_call', call_id: 'call_1' })
        expect(responses[1]).toEqual(responses[0])
        expect(responses[2]).toEqual(responses[0])
      }
    },
  )

  it('is another question than a body of chat completions with the same text', async () => {
    const name = setting.upstream.modelThat(chatCall)
    const body = {
      model: `openai-compatible/${name}`,
      input: 'Hi',
      messages: [{ role: 'user', content: 'Hi' }],
    }
    expect(await (await post(body)).json()).toMatchObject({ object: 'response' })
    expect(await (await post(body, 'chat/completions')).json()).toMatchObject({ object: 'chat.completion' })
    expect(setting.upstream.callsFor(name)).toHaveLength(2)
  })
})
