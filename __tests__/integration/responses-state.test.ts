import OpenAI from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../support/gateway.ts'
import {
  callItem,
  messageItem,
  nativeResponse,
  reasoningItem,
  responds,
} from '../support/responses-behaviour.ts'
import { type Behaviour, chunk, says, sends, sse, streamEnd } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const NATIVE = 'gpt-4o'
const TRANSLATED = 'openai-compatible/local'

const WEATHER = { type: 'function', name: 'weather', parameters: { type: 'object' }, strict: false } as const

const callsWeather: Behaviour = sends([
  sse(chunk({ reasoning_content: 'Hm' })),
  sse(
    chunk({
      tool_calls: [
        { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } },
      ],
    }),
  ),
  streamEnd('tool_calls'),
])

describe.each(HOSTS)('Answers that /v1/responses keeps, under the %s server', host => {
  let setting: UpstreamGateway
  let client: OpenAI

  const as = (headers: Record<string, string>) =>
    new OpenAI({
      baseURL: `${setting.gateway.url}/v1`,
      apiKey: 'any',
      maxRetries: 0,
      defaultHeaders: headers,
    })
  const lastBody = () => JSON.parse(setting.upstream.calls.at(-1)?.body ?? '{}')
  const callCount = () => setting.upstream.calls.length

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      ENABLE_CACHING: 'false',
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      OPENAI_COMPATIBLE_BASE_URL: baseUrl,
      TRUSTED_PROXY_HOPS: '1',
    }))
    client = as({ 'x-forwarded-for': '192.0.2.1' })
  })
  beforeEach(() => void setting.upstream.usually(says(['Hello'])))
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  /** A reference to an item. The official client's types know a type that is absent or null. */
  const referenceTo = (id: string, type: object): OpenAI.Responses.ResponseInputItem.ItemReference => ({
    id,
    ...type,
  })

  describe('of a translated model', () => {
    it('are continued by previous_response_id, over several turns and tool calls (case 17)', async () => {
      setting.upstream.usually(callsWeather)
      const first = await client.responses
        .stream({ model: TRANSLATED, input: 'Weather?', instructions: 'Once.', tools: [WEATHER] })
        .finalResponse()
      setting.upstream.usually(says(['Sunny.']))
      const second = await client.responses.create({
        model: TRANSLATED,
        previous_response_id: first.id,
        input: [{ type: 'function_call_output', call_id: 'call_1', output: '20 °C' }],
      })
      expect(second.previous_response_id).toBe(first.id)
      await client.responses.create({ model: TRANSLATED, previous_response_id: second.id, input: 'Thanks' })
      expect(lastBody().messages).toEqual([
        { role: 'user', content: 'Weather?' },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'Hm',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: '20 °C' },
        { role: 'assistant', content: 'Sunny.' },
        { role: 'user', content: 'Thanks' },
      ])
    })

    it.each<[string, object]>([
      ['with its type', { type: 'item_reference' }],
      ['without a type', {}],
      ['whose type is null', { type: null }],
    ])('are continued by item_reference %s (case 17)', async (_, type) => {
      const first = await client.responses.create({ model: TRANSLATED, input: 'Hi' })
      await client.responses.create({
        model: TRANSLATED,
        input: [
          { role: 'user', content: 'Hi' },
          referenceTo(first.output[0]?.id ?? '', type),
          { role: 'user', content: 'Again' },
        ],
      })
      expect(lastBody().messages).toEqual([
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'Again' },
      ])
    })

    it('can be retrieved as they were sent, whole and streamed, and deleted', async () => {
      const whole = await client.responses.create({ model: TRANSLATED, input: 'Hi', metadata: { a: 'b' } })
      expect(await client.responses.retrieve(whole.id)).toEqual(whole)
      const streamed = await client.responses.stream({ model: TRANSLATED, input: 'Hi' }).finalResponse()
      const { output_parsed: _, ...sent } = streamed
      expect(await client.responses.retrieve(streamed.id)).toMatchObject({
        id: sent.id,
        usage: sent.usage,
        output_text: 'Hello',
      })
      const again = await client.responses.retrieve(whole.id, { stream: true }).catch(error => error)
      expect(again).toMatchObject({ status: 400, param: 'stream' })
      await client.responses.delete(whole.id)
      await expect(client.responses.retrieve(whole.id)).rejects.toMatchObject({ status: 404 })
      await expect(client.responses.delete(whole.id)).rejects.toMatchObject({ status: 404 })
      const continued = client.responses.create({
        model: TRANSLATED,
        input: 'On',
        previous_response_id: whole.id,
      })
      await expect(continued).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
    })

    it('list the items of their context', async () => {
      const first = await client.responses.create({ model: TRANSLATED, input: 'One' })
      const second = await client.responses.create({
        model: TRANSLATED,
        input: 'Two',
        previous_response_id: first.id,
      })
      const listed: unknown[] = []
      for await (const item of client.responses.inputItems.list(second.id, { order: 'asc', limit: 2 }))
        listed.push(item)
      expect(listed).toMatchObject([
        { role: 'user', content: [{ type: 'input_text', text: 'One' }] },
        { role: 'assistant', content: [{ type: 'output_text', text: 'Hello' }] },
        { role: 'user', content: [{ type: 'input_text', text: 'Two' }] },
      ])
      const unknown = client.responses.inputItems.list(second.id, { after: 'item_unknown' })
      await expect(unknown).rejects.toMatchObject({ status: 400, param: 'after' })
    })

    it('cannot be cancelled, since they were not in the background', async () => {
      const { id } = await client.responses.create({ model: TRANSLATED, input: 'Hi' })
      await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 })
      await expect(client.responses.cancel('resp_none')).rejects.toMatchObject({ status: 404 })
    })

    it('are continued where one before them was deleted, which itself is not', async () => {
      setting.upstream.usually(says(['Once']))
      const first = await client.responses.create({ model: TRANSLATED, input: 'Hi' })
      const second = await client.responses.create({
        model: TRANSLATED,
        input: 'On',
        previous_response_id: first.id,
      })
      await client.responses.delete(first.id)
      const third = { model: TRANSLATED, input: 'And on' }
      await client.responses.create({ ...third, previous_response_id: second.id })
      expect(lastBody().messages.map(({ content }: { content: string }) => content)).toEqual([
        'Hi',
        'Once',
        'On',
        'Once',
        'And on',
      ])
      await expect(client.responses.retrieve(first.id)).rejects.toMatchObject({ status: 404 })
      await expect(
        client.responses.create({ ...third, previous_response_id: first.id }),
      ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
    })

    it('are none where the request says store: false', async () => {
      const { id } = await client.responses.create({ model: TRANSLATED, input: 'Hi', store: false })
      await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
    })

    it('that are unknown are refused before the upstream is called (case 17)', async () => {
      const calls = callCount()
      await expect(
        client.responses.create({ model: TRANSLATED, input: 'Hi', previous_response_id: 'resp_none' }),
      ).rejects.toMatchObject({
        status: 400,
        code: 'previous_response_not_found',
        param: 'previous_response_id',
      })
      await expect(
        client.responses.create({ model: TRANSLATED, input: [{ type: 'item_reference', id: 'msg_none' }] }),
      ).rejects.toMatchObject({ status: 404, code: 'item_not_found', param: 'input' })
      await expect(
        client.responses.create({ model: TRANSLATED, input: 'Hi', previous_response_id: 'resp\u0000' }),
      ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
      expect(callCount()).toBe(calls)
    })
  })

  describe('of a vendor that has Responses', () => {
    const said = nativeResponse('resp_native_1', [reasoningItem('rs_n'), messageItem('msg_n', 'Native')])

    it('pass its own ids on, and are kept as it wrote them', async () => {
      setting.upstream.usually(responds(said))
      await client.responses.create({ model: NATIVE, input: 'Hi' })
      const again = await client.responses.create({
        model: NATIVE,
        input: [
          { type: 'item_reference', id: 'msg_n' },
          { role: 'user', content: 'On' },
        ],
        previous_response_id: said.id,
      })
      expect(again.id).toBe(said.id)
      expect(lastBody()).toMatchObject({
        previous_response_id: said.id,
        input: [
          { type: 'item_reference', id: 'msg_n' },
          { role: 'user', content: 'On' },
        ],
      })
      const text = await (
        await fetch(`${setting.gateway.url}/v1/responses/${said.id}`, {
          headers: { 'x-forwarded-for': '192.0.2.1' },
        })
      ).text()
      expect(JSON.parse(text)).toEqual(said)
    })

    it('are continued by a translated model', async () => {
      const called = nativeResponse('resp_native_2', [callItem('fc_n', 'call_n', 'weather', '{}')])
      setting.upstream.usually(responds(called))
      await client.responses.stream({ model: NATIVE, input: 'Weather?' }).finalResponse()
      setting.upstream.usually(says(['Sunny.']))
      await client.responses.create({
        model: TRANSLATED,
        previous_response_id: called.id,
        input: [{ type: 'function_call_output', call_id: 'call_n', output: '20 °C' }],
      })
      expect(lastBody().messages).toMatchObject([
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', tool_calls: [{ id: 'call_n' }] },
        { role: 'tool', tool_call_id: 'call_n' },
      ])
    })

    it('continue a translated model’s with all that it said in place of the references', async () => {
      setting.upstream.usually(callsWeather)
      const first = await client.responses
        .stream({ model: TRANSLATED, input: 'Weather?', tools: [WEATHER] })
        .finalResponse()
      setting.upstream.usually(responds(nativeResponse('resp_native_3', [messageItem('msg_3', 'Sunny')])))
      await client.responses.create({
        model: NATIVE,
        previous_response_id: first.id,
        input: [{ type: 'function_call_output', call_id: 'call_1', output: '20 °C' }],
      })
      expect(lastBody()).toEqual({
        model: NATIVE,
        input: [
          { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
          { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' },
          { type: 'function_call_output', call_id: 'call_1', output: '20 °C' },
        ],
      })
    })
  })

  describe('that are not, or no longer, kept here for their caller', () => {
    const native = (id: string) => {
      const said = nativeResponse(id, [messageItem(`msg_${id}`, 'Said')])
      setting.upstream.usually(responds(said))
      return said
    }
    const refusedFor = async (from: OpenAI, id: string, item: string) => {
      const calls = callCount()
      for (const model of [NATIVE, TRANSLATED]) {
        await expect(
          from.responses.create({ model, input: 'Hi', previous_response_id: id }),
        ).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' })
        for (const type of [{ type: 'item_reference' }, {}, { type: null }])
          await expect(
            from.responses.create({ model, input: [referenceTo(item, type)] }),
          ).rejects.toMatchObject({ status: 404, code: 'item_not_found', param: 'input' })
      }
      expect(callCount()).toBe(calls)
    }

    it('are continued at no provider once they were deleted, whose copy remains there', async () => {
      const { id } = native('resp_deleted')
      await client.responses.create({ model: NATIVE, input: 'Hi' })
      await client.responses.delete(id)
      await refusedFor(client, id, `msg_${id}`)
      await refusedFor(as({ 'x-forwarded-for': '192.0.2.3' }), id, `msg_${id}`)
    })

    it('are continued at no provider where the request said store: false, or the gateway never saw them', async () => {
      const { id } = native('resp_unstored')
      await client.responses.create({ model: NATIVE, input: 'Hi', store: false })
      await refusedFor(client, id, `msg_${id}`)
      await refusedFor(client, 'resp_of_the_account', 'msg_of_the_account')
    })
  })

  describe('of one caller', () => {
    it('are nothing to another: not retrieved, continued, referred to or deleted, at any vendor', async () => {
      const native = nativeResponse('resp_secret', [messageItem('msg_secret', 'Secret')])
      setting.upstream.usually(responds(native))
      await client.responses.create({ model: NATIVE, input: 'Hi' })
      setting.upstream.usually(says(['Secret']))
      const translated = await client.responses.create({ model: TRANSLATED, input: 'Hi' })
      const other = as({ 'x-forwarded-for': '192.0.2.2' })
      const calls = callCount()
      for (const [id, item] of [
        [native.id, 'msg_secret'],
        [translated.id, translated.output[0]?.id ?? ''],
      ] as const) {
        await expect(other.responses.retrieve(id)).rejects.toMatchObject({ status: 404 })
        await expect(other.responses.delete(id)).rejects.toMatchObject({ status: 404 })
        await expect(other.responses.inputItems.list(id)).rejects.toMatchObject({ status: 404 })
        for (const model of [NATIVE, TRANSLATED]) {
          await expect(
            other.responses.create({ model, input: 'Hi', previous_response_id: id }),
          ).rejects.toMatchObject({ code: 'previous_response_not_found' })
          for (const type of [{ type: 'item_reference' }, {}, { type: null }])
            await expect(
              other.responses.create({ model, input: [referenceTo(item, type)] }),
            ).rejects.toMatchObject({ code: 'item_not_found' })
        }
      }
      expect(callCount()).toBe(calls)
      expect((await client.responses.retrieve(native.id)).id).toBe(native.id)
    })
  })
})
