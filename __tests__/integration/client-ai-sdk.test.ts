import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import {
  APICallError,
  embedMany,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  tool,
} from 'ai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { block, sseOf, started, texts } from '../support/anthropic-behaviour.ts'
import { thinks, usesWeather } from '../support/anthropic-fixtures.ts'
import { HOSTS, type HostName } from '../support/gateway.ts'
import { callsWeather, PIXEL, reasons, refusesAs, splits, writes } from '../support/openai-behaviour.ts'
import { type Behaviour, chunk, inTurn, refuses, sends, stallsAfter } from '../support/upstream-behaviour.ts'
import {
  asAnthropicToo,
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

/** A provider of the AI SDK, and an upstream that speaks its format. */
type Provider = Readonly<{
  name: string
  /** What stands before a new model's name, so that the gateway finds its upstream. */
  prefix: string
  model: (baseUrl: string, id: string) => LanguageModel
  /** Its format is translated for the upstream, which has chat completions alone. */
  isTranslated?: true
  writes: (...pieces: readonly string[]) => Behaviour
  callsWeather: (...cities: readonly string[]) => Behaviour
  thinks: (thought: string, answer: string) => Behaviour
  /** Begins a stream and breaks off. */
  breaksOff: Behaviour
  refuses: (status: number, message: string) => Behaviour
  /** What the upstream's usage is to the SDK. */
  tokens: Readonly<{ inputTokens: number; outputTokens: number }>
}>

const begun = sseOf(
  started,
  ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: 'Hel' }).slice(0, 2),
)

const PROVIDERS: readonly Provider[] = [
  {
    name: '@ai-sdk/openai-compatible',
    prefix: 'openai/',
    model: (baseURL, id) =>
      createOpenAICompatible({
        name: 'parley',
        baseURL,
        apiKey: 'any',
        includeUsage: true,
        supportsStructuredOutputs: true,
      })(id),
    writes,
    callsWeather,
    thinks: reasons,
    breaksOff: sends([`data: ${JSON.stringify(chunk({ content: 'Hel' }))}\n\n`]),
    refuses: (status, message) => refusesAs(status, { message, type: 'invalid_request_error' }),
    tokens: { inputTokens: 7, outputTokens: 5 },
  },
  {
    name: '@ai-sdk/anthropic',
    prefix: 'anthropic/',
    model: (baseURL, id) => createAnthropic({ baseURL, apiKey: 'any' })(id),
    writes: texts,
    callsWeather: usesWeather,
    thinks,
    breaksOff: sends([begun]),
    refuses: (status, message) =>
      refuses(status, {
        body: JSON.stringify({ type: 'error', error: { type: 'invalid_request_error', message } }),
      }),
    tokens: { inputTokens: 21 + 248 + 1_800, outputTokens: 40 },
  },
  {
    name: '@ai-sdk/openai',
    prefix: 'openai-compatible/',
    model: (baseURL, id) => createOpenAI({ baseURL, apiKey: 'any' })(id),
    isTranslated: true,
    writes,
    callsWeather,
    thinks: reasons,
    breaksOff: sends([`data: ${JSON.stringify(chunk({ content: 'Hel' }))}\n\n`]),
    refuses: (status, message) => refusesAs(status, { message, type: 'invalid_request_error' }),
    tokens: { inputTokens: 7, outputTokens: 5 },
  },
]

/** One attempt at one question. `maxOutputTokens`, since the SDK warns where it guesses the limit of an unknown model. */
const once = { maxRetries: 0, maxOutputTokens: 100, prompt: 'Hi' } as const

const weatherTool = (asked: unknown[]) =>
  tool({
    description: 'The weather in a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: async input => {
      asked.push(input)
      return { celsius: 7 }
    },
  })

const startGateway = (host: HostName): Promise<UpstreamGateway> =>
  startUpstreamGateway(host, baseUrl => ({
    ...asAnthropicToo(baseUrl),
    OPENAI_COMPATIBLE_BASE_URL: baseUrl,
  }))

describe.each(HOSTS)('the AI SDK through the %s server', host => {
  let setting: UpstreamGateway
  beforeAll(async () => {
    setting = await startGateway(host)
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  describe.each(PROVIDERS.map(provider => [provider.name, provider] as const))('with %s', (_, provider) => {
    /** A model at the gateway, and the same one at the upstream itself. */
    const modelThat = (behaviour: Behaviour) => {
      const id = setting.upstream.modelThat(behaviour)
      return {
        id,
        through: provider.model(`${setting.gateway.url}/v1`, `${provider.prefix}${id}`),
        direct: provider.model(setting.upstream.baseUrl, id),
      }
    }

    it('generateText gives the text and its usage', async () => {
      const { through, direct } = modelThat(provider.writes('Hello', ' there'))
      const seen = async (model: LanguageModel) => {
        const { text, finishReason, usage, warnings } = await generateText({ ...once, model })
        return { text, finishReason, usage, warnings }
      }
      if (!provider.isTranslated) expect(await seen(through)).toEqual(await seen(direct))
      expect(await seen(through)).toMatchObject({
        text: 'Hello there',
        finishReason: 'stop',
        usage: provider.tokens,
      })
    })

    it('streamText gives the same parts as the upstream itself', async () => {
      const { through, direct } = modelThat(provider.thinks('Hm.', 'Hello there'))
      const partsOf = async (model: LanguageModel) => {
        const parts: object[] = []
        const result = streamText({ ...once, model })
        for await (const part of result.stream)
          if (/^(text|reasoning)-(start|delta|end)$/.test(part.type)) parts.push(part)
        return { parts, usage: await result.usage, finishReason: await result.finishReason }
      }
      const ours = await partsOf(through)
      if (!provider.isTranslated) expect(ours).toEqual(await partsOf(direct))
      expect(ours).toMatchObject({ finishReason: 'stop', usage: provider.tokens })
      expect(JSON.stringify(ours.parts)).toContain('reasoning-delta')
    })

    it('reasoning arrives beside the text', async () => {
      const { through } = modelThat(provider.thinks('Hm.', 'Yes.'))
      const { text, reasoningText } = await generateText({ ...once, model: through })
      expect({ text, reasoningText }).toEqual({ text: 'Yes.', reasoningText: 'Hm.' })
    })

    it.each([false, true])('tools run through two steps, streamed: %s', async streamed => {
      const behaviour = inTurn(provider.callsWeather('Köln', 'Bonn'), provider.writes('7 °C'))
      const { id, through } = modelThat(behaviour)
      const asked: unknown[] = []
      const settings = {
        ...once,
        model: through,
        tools: { weather: weatherTool(asked) },
        stopWhen: isStepCount(3),
      }
      const result = streamed ? streamText(settings) : await generateText(settings)
      if ('consumeStream' in result) await result.consumeStream()
      expect(await result.text).toBe('7 °C')
      expect((await result.steps).map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop'])
      expect(asked).toEqual([{ city: 'Köln' }, { city: 'Bonn' }])
      const [first, second] = setting.upstream.callsFor(id)
      expect(first?.body).toContain('"weather"')
      expect(second?.body.match(/celsius/g)).toHaveLength(2)
    })

    it('Output.object gives an object of its schema', async () => {
      const { id, through } = modelThat(provider.writes('{"city":', '"Köln"}'))
      const output = Output.object({ schema: z.object({ city: z.string() }) })
      const generated = await generateText({ ...once, model: through, output })
      expect(generated.output).toEqual({ city: 'Köln' })
      expect(setting.upstream.callsFor(id)[0]?.body).toContain('"city"')
      const streamed = streamText({ ...once, model: through, output })
      const partial: unknown[] = []
      for await (const one of streamed.partialOutputStream) partial.push(one)
      expect(partial.at(-1)).toEqual({ city: 'Köln' })
    })

    it('an image reaches the upstream', async () => {
      const { id, through } = modelThat(provider.writes('A pixel.'))
      const content = [
        { type: 'text' as const, text: 'What is this?' },
        { type: 'file' as const, mediaType: 'image/png', data: Buffer.from(PIXEL, 'base64') },
      ]
      const { text } = await generateText({
        model: through,
        maxRetries: 0,
        maxOutputTokens: 100,
        messages: [{ role: 'user', content }],
      })
      expect(text).toBe('A pixel.')
      expect(setting.upstream.callsFor(id)[0]?.body).toContain(PIXEL)
    })

    it('a refused request is an APICallError with the upstream’s words', async () => {
      const { through } = modelThat(provider.refuses(400, 'messages: no such thing'))
      const thrown = await generateText({ ...once, model: through }).catch((reason: unknown) => reason)
      expect(APICallError.isInstance(thrown)).toBe(true)
      expect(thrown).toMatchObject({
        statusCode: 400,
        message: 'messages: no such thing',
        isRetryable: false,
      })
    })

    it('an unknown model is an APICallError of status 404', async () => {
      const model = provider.model(`${setting.gateway.url}/v1`, 'no-such-model')
      await expect(generateText({ ...once, model })).rejects.toMatchObject({
        statusCode: 404,
        message: expect.stringContaining('no-such-model'),
      })
    })

    it('an upstream’s failure is retried by the SDK', async () => {
      const { id, through } = modelThat(inTurn(refuses(500), provider.writes('Back')))
      const { text } = await generateText({ ...once, model: through, maxRetries: 1 })
      expect(text).toBe('Back')
      expect(setting.upstream.callsFor(id)).toHaveLength(2)
    })

    it('a stream that ends early is an error, not an end', async () => {
      const { through } = modelThat(provider.breaksOff)
      const errors: unknown[] = []
      const result = streamText({ ...once, model: through, onError: ({ error }) => void errors.push(error) })
      let text = ''
      for await (const part of result.stream) if (part.type === 'text-delta') text += part.text
      expect(text).toBe('Hel')
      expect(errors).toHaveLength(1)
    })

    it('abort closes the upstream', async () => {
      const { id, through } = modelThat(
        provider.prefix === 'anthropic/' ? sends([begun], { ending: 'stall' }) : stallsAfter('Hel'),
      )
      const left = new AbortController()
      const result = streamText({ ...once, model: through, abortSignal: left.signal })
      for await (const part of result.stream) if (part.type === 'text-delta') left.abort()
      await setting.gateway.until(() => setting.upstream.callsFor(id)[0]?.abandonedAt, 'the disconnect')
    })
  })

  it('embedMany gives the upstream’s vectors and usage', async () => {
    const vectors = [
      [0.25, -0.5],
      [1, 0],
    ]
    const id = setting.upstream.modelThat(
      sends(
        [
          JSON.stringify({
            object: 'list',
            data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
            model: 'fake',
            usage: { prompt_tokens: 8, total_tokens: 8 },
          }),
        ],
        { type: 'application/json' },
      ),
    )
    const baseURL = `${setting.gateway.url}/v1`
    for (const provider of [
      createOpenAICompatible({ name: 'parley', baseURL }),
      createOpenAI({ baseURL, apiKey: 'any' }),
    ]) {
      const { embeddings, usage } = await embedMany({
        model: provider.embeddingModel(`openai/${id}`),
        values: ['one', 'two'],
        maxRetries: 0,
      })
      expect(embeddings).toEqual(vectors)
      expect(usage.tokens).toBe(8)
    }
  })

  it('text whose characters are split between packets arrives whole', async () => {
    const id = setting.upstream.modelThat(splits('Größe 👩‍👩‍👧 東京'))
    const model = PROVIDERS[0]?.model(`${setting.gateway.url}/v1`, `openai/${id}`)
    const result = streamText({ ...once, model: model ?? '' })
    expect(await result.text).toBe('Größe 👩‍👩‍👧 東京')
  })

  describe('with a provider of one vendor and a model of another', () => {
    it('@ai-sdk/anthropic runs tools of an OpenAI model', async () => {
      const id = setting.upstream.modelThat(inTurn(callsWeather('Köln', 'Bonn'), writes('7 °C')))
      const model = PROVIDERS[1]?.model(`${setting.gateway.url}/v1`, `openai/${id}`)
      const asked: unknown[] = []
      const result = streamText({
        ...once,
        model: model ?? '',
        tools: { weather: weatherTool(asked) },
        stopWhen: isStepCount(3),
      })
      expect(await result.text).toBe('7 °C')
      expect(asked).toEqual([{ city: 'Köln' }, { city: 'Bonn' }])
    })

    it('@ai-sdk/openai-compatible runs tools of Claude, and shows its thinking', async () => {
      const toolUse = usesWeather('Köln', 'Bonn')
      const id = setting.upstream.modelThat(inTurn(toolUse, thinks('Hm.', '7 °C')))
      const model = PROVIDERS[0]?.model(`${setting.gateway.url}/v1`, `anthropic/${id}`)
      const asked: unknown[] = []
      const result = streamText({
        ...once,
        model: model ?? '',
        tools: { weather: weatherTool(asked) },
        stopWhen: isStepCount(3),
      })
      expect(await result.text).toBe('7 °C')
      expect(await result.reasoningText).toBe('Hm.')
      expect(asked).toEqual([{ city: 'Köln' }, { city: 'Bonn' }])
    })
  })
})
