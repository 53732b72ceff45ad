import { AIMessageChunk, HumanMessage, ToolMessage } from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { thinks, usesWeather } from '../support/anthropic-fixtures.ts'
import { HOSTS } from '../support/gateway.ts'
import { callsWeather, PIXEL, reasons, refusesAs, writes } from '../support/openai-behaviour.ts'
import {
  type Behaviour,
  chunk,
  inTurn,
  refuses,
  sends,
  sse,
  stallsAfter,
} from '../support/upstream-behaviour.ts'
import {
  asAnthropicToo,
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const weather = tool(async ({ city }) => `7 °C in ${city}`, {
  name: 'weather',
  description: 'The weather in a city.',
  schema: z.object({ city: z.string() }),
})

/** The fields of a message by which two answers are compared. */
const seen = ({
  content,
  tool_calls,
  usage_metadata,
  additional_kwargs,
  response_metadata,
}: AIMessageChunk) => ({
  content,
  tool_calls,
  usage_metadata,
  additional_kwargs,
  finish: response_metadata.finish_reason,
})

describe.each(HOSTS)('LangChain through the %s server', host => {
  let setting: UpstreamGateway
  beforeAll(async () => {
    setting = await startUpstreamGateway(host, asAnthropicToo)
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const chat = (baseURL: string, model: string, maxRetries = 0) =>
    new ChatOpenAI({ model, apiKey: 'any', maxRetries, configuration: { baseURL } })
  /** A model at the gateway, and the same one at the upstream itself. */
  const modelThat = (behaviour: Behaviour) => {
    const id = setting.upstream.modelThat(behaviour)
    const through = (maxRetries?: number) => chat(`${setting.gateway.url}/v1`, `openai/${id}`, maxRetries)
    return { id, through: through(), patient: through(1), direct: chat(setting.upstream.baseUrl, id) }
  }
  const streamed = async (model: Pick<ChatOpenAI, 'stream'>): Promise<AIMessageChunk> => {
    let whole = new AIMessageChunk('')
    for await (const one of await model.stream('Hi')) whole = whole.concat(one)
    return whole
  }

  it('invoke gives the message and its usage', async () => {
    const { through, direct } = modelThat(writes('Hello', ' there'))
    const ours = await through.invoke('Hi')
    expect(seen(ours)).toEqual(seen(await direct.invoke('Hi')))
    expect(seen(ours)).toMatchObject({
      content: 'Hello there',
      finish: 'stop',
      usage_metadata: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
    })
  })

  it('stream gives the same message, with the usage that it asks for by itself', async () => {
    const { id, through, direct } = modelThat(writes('Hello', ' there'))
    const ours = await streamed(through)
    expect(seen(ours)).toEqual(seen(await streamed(direct)))
    expect(ours.usage_metadata).toMatchObject({ input_tokens: 7, output_tokens: 5 })
    const [own, reference] = setting.upstream.callsFor(id)
    expect(JSON.parse(own?.body ?? '')).toEqual(JSON.parse(reference?.body ?? ''))
  })

  it('reasoning arrives beside the text, whole and streamed', async () => {
    const { through } = modelThat(reasons('Hm.', 'Yes.'))
    for (const message of [await through.invoke('Hi'), await streamed(through)]) {
      expect(message.content).toBe('Yes.')
      expect(message.additional_kwargs.reasoning_content).toBe('Hm.')
    }
  })

  it('bindTools calls tools in parallel, and takes their results', async () => {
    const { id, through } = modelThat(
      inTurn(callsWeather('Köln', 'Bonn'), callsWeather('Köln', 'Bonn'), writes('7 °C')),
    )
    const bound = through.bindTools([weather])
    const asked = new HumanMessage('Weather?')
    const first = await bound.invoke([asked])
    const calls = [
      { name: 'weather', args: { city: 'Köln' }, id: 'call_0', type: 'tool_call' },
      { name: 'weather', args: { city: 'Bonn' }, id: 'call_1', type: 'tool_call' },
    ]
    expect(first.tool_calls).toEqual(calls)
    let whole = new AIMessageChunk('')
    for await (const one of await bound.stream([asked])) whole = whole.concat(one)
    expect(whole.tool_calls).toEqual(calls)
    const results = (first.tool_calls ?? []).map(
      ({ id: callId = '', args }) =>
        new ToolMessage({ content: `7 °C in ${args.city}`, tool_call_id: callId }),
    )
    const last = await bound.invoke([asked, first, ...results])
    expect(last.content).toBe('7 °C')
    const { messages } = JSON.parse(setting.upstream.callsFor(id).at(-1)?.body ?? '')
    expect(messages.map(({ role }: { role: string }) => role)).toEqual(['user', 'assistant', 'tool', 'tool'])
  })

  it('withStructuredOutput gives an object of its schema', async () => {
    const { id, through } = modelThat(writes('{"city":', '"Köln"}'))
    const model = through.withStructuredOutput(z.object({ city: z.string() }), { method: 'jsonSchema' })
    expect(await model.invoke('Hi')).toEqual({ city: 'Köln' })
    expect(JSON.parse(setting.upstream.callsFor(id)[0]?.body ?? '')).toMatchObject({
      response_format: { type: 'json_schema' },
    })
  })

  it('an image reaches the upstream', async () => {
    const { id, through } = modelThat(writes('A pixel.'))
    const url = `data:image/png;base64,${PIXEL}`
    const message = new HumanMessage({ content: [{ type: 'image_url', image_url: { url } }] })
    expect((await through.invoke([message])).content).toBe('A pixel.')
    expect(setting.upstream.callsFor(id)[0]?.body).toContain(url)
  })

  it('embeddings give the upstream’s vectors', async () => {
    const vectors = [
      [0.25, -0.5],
      [1, 0],
    ]
    const id = setting.upstream.modelThat((response, asked, signal) => {
      const { encoding_format: format } = asked as { encoding_format?: string }
      const data = vectors.map((vector, index) => ({
        object: 'embedding',
        index,
        embedding:
          format === 'base64' ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector,
      }))
      const body = { object: 'list', data, model: 'fake', usage: { prompt_tokens: 8, total_tokens: 8 } }
      return sends([JSON.stringify(body)], { type: 'application/json' })(response, asked, signal)
    })
    const embeddings = new OpenAIEmbeddings({
      model: `openai/${id}`,
      apiKey: 'any',
      maxRetries: 0,
      configuration: { baseURL: `${setting.gateway.url}/v1` },
    })
    expect(await embeddings.embedDocuments(['one', 'two'])).toEqual(vectors)
  })

  it('a refused request throws the upstream’s words, and an unknown model 404', async () => {
    const error = { message: 'messages: no such thing', type: 'invalid_request_error', code: 'bad_thing' }
    const { through } = modelThat(refusesAs(400, error))
    await expect(through.invoke('Hi')).rejects.toMatchObject({ status: 400, code: 'bad_thing' })
    await expect(chat(`${setting.gateway.url}/v1`, 'no-such-model').invoke('Hi')).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
    })
  })

  it('an upstream’s failure is retried', async () => {
    const { id, patient } = modelThat(inTurn(refuses(500), writes('Back')))
    expect((await patient.invoke('Hi')).content).toBe('Back')
    expect(setting.upstream.callsFor(id)).toHaveLength(2)
  })

  it('a stream that ends early is an error, not an end', async () => {
    const { through } = modelThat(sends([sse(chunk({ content: 'Hel' }))]))
    await expect(streamed(through)).rejects.toThrow()
  })

  it('abort closes the upstream', async () => {
    const { id, through } = modelThat(stallsAfter('Hel'))
    const left = new AbortController()
    const read = async () => {
      for await (const one of await through.stream('Hi', { signal: left.signal }))
        if (one.content) left.abort()
    }
    await expect(read()).rejects.toThrow()
    await setting.gateway.until(() => setting.upstream.callsFor(id)[0]?.abandonedAt, 'the disconnect')
  })

  it('a model of Anthropic’s calls tools and answers, streamed', async () => {
    const id = setting.upstream.modelThat(inTurn(usesWeather('Köln', 'Bonn'), thinks('Hm.', '7 °C')))
    const model = chat(`${setting.gateway.url}/v1`, `anthropic/${id}`)
    const first = await streamed(model.bindTools([weather]))
    expect(first.tool_calls).toMatchObject([
      { name: 'weather', args: { city: 'Köln' } },
      { name: 'weather', args: { city: 'Bonn' } },
    ])
    const second = await streamed(model)
    expect(second.content).toBe('7 °C')
    expect(second.additional_kwargs.reasoning_content).toBe('Hm.')
  })
})
