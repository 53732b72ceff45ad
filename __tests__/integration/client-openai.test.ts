import OpenAI from 'openai'
import { zodResponseFormat } from 'openai/helpers/zod'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { answers, block, ended, message, started, texts } from '../support/anthropic-behaviour.ts'
import { usesWeather } from '../support/anthropic-fixtures.ts'
import { HOSTS } from '../support/gateway.ts'
import { callsWeather, refusesAs, writes } from '../support/openai-behaviour.ts'
import { type Behaviour, hangs, inTurn, refuses, stallsAfter } from '../support/upstream-behaviour.ts'
import {
  asAnthropicToo,
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const messages = [{ role: 'user' as const, content: 'Hi' }]

const answer = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln' } }
/** Claude, made to answer by a tool: it says nothing before it. */
const answersByTool = answers(message([answer], 'tool_use'), [
  started,
  ...block(0, { ...answer, input: {} }, { type: 'input_json_delta', partial_json: '{"city":"Köln"}' }),
  ...ended('tool_use'),
])

/** The helpers of the official client; its plain calls are in `parity.test.ts`. */
describe.each(HOSTS)('the official client of OpenAI through the %s server', host => {
  let setting: UpstreamGateway
  let client: OpenAI

  const clientOf = (maxRetries: number) =>
    new OpenAI({ baseURL: `${setting.gateway.url}/v1`, apiKey: 'any', maxRetries })
  beforeAll(async () => {
    setting = await startUpstreamGateway(host, asAnthropicToo)
    client = clientOf(0)
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  it.each<[string, readonly Behaviour[]]>([
    ['openai', [callsWeather('Köln', 'Bonn'), writes('7 °C')]],
    ['anthropic', [usesWeather('Köln', 'Bonn'), texts('7 °C')]],
  ])('runs tools with its tool runner, of %s', async (provider, turns) => {
    for (const stream of [false, true]) {
      const model = setting.upstream.modelThat(inTurn(...turns))
      const asked: unknown[] = []
      const tool = {
        type: 'function' as const,
        function: {
          name: 'weather',
          description: 'The weather in a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } } },
          parse: JSON.parse,
          function: (input: unknown) => {
            asked.push(input)
            return '7 °C'
          },
        },
      }
      const settings = { model: `${provider}/${model}`, messages, tools: [tool] }
      const runner = stream
        ? client.chat.completions.runTools({ ...settings, stream: true })
        : client.chat.completions.runTools(settings)
      expect(await runner.finalContent()).toBe('7 °C')
      expect(asked).toEqual([{ city: 'Köln' }, { city: 'Bonn' }])
      expect(setting.upstream.callsFor(model)).toHaveLength(2)
    }
  })

  it.each([
    ['openai', writes('{"city":', '"Köln"}')],
    ['anthropic', answersByTool],
  ])('parses an answer by its schema, of %s', async (provider, behaviour) => {
    const model = setting.upstream.modelThat(behaviour)
    const parsed = await client.chat.completions.parse({
      model: `${provider}/${model}`,
      messages,
      response_format: zodResponseFormat(z.object({ city: z.string() }), 'weather'),
    })
    expect(parsed.choices[0]?.message.parsed).toEqual({ city: 'Köln' })
  })

  it('retries what may succeed, and nothing else', async () => {
    const patient = clientOf(2)
    const flaky = setting.upstream.modelThat(inTurn(refuses(500), writes('Back')))
    const created = await patient.chat.completions.create({ model: `openai/${flaky}`, messages })
    expect(created.choices[0]?.message.content).toBe('Back')
    expect(setting.upstream.callsFor(flaky)).toHaveLength(2)
    const refused = setting.upstream.modelThat(refusesAs(400, { message: 'No.', code: 'no' }))
    await expect(
      patient.chat.completions.create({ model: `openai/${refused}`, messages }),
    ).rejects.toBeInstanceOf(OpenAI.BadRequestError)
    expect(setting.upstream.callsFor(refused)).toHaveLength(1)
  })

  it('closes the upstream when it is aborted, before the first content and within a stream', async () => {
    for (const behaviour of [hangs, stallsAfter('Hel')]) {
      const model = setting.upstream.modelThat(behaviour)
      const left = new AbortController()
      const read = async () => {
        const stream = await client.chat.completions.create(
          { model: `openai/${model}`, messages, stream: true },
          { signal: left.signal },
        )
        for await (const one of stream) if (one.choices[0]?.delta.content) left.abort()
      }
      const failed = read().catch((reason: unknown) => reason)
      await setting.gateway.until(() => setting.upstream.callsFor(model)[0], 'the call')
      if (behaviour === hangs) left.abort()
      await failed
      await setting.gateway.until(() => setting.upstream.callsFor(model)[0]?.abandonedAt, 'the disconnect')
    }
  })
})
