import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SseParser } from '#lib/sse-parser.ts'
import { GatewayProcess, ROOT } from '../support/gateway.ts'
import { messageItem, nativeResponse, responds } from '../support/responses-behaviour.ts'
import { completion, says, sends } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const read = (name: string, revive?: (key: string, value: unknown) => unknown) =>
  JSON.parse(readFileSync(join(ROOT, '__tests__/fixtures/openai-specification', name), 'utf8'), revive)

/** A keyword of OpenAI's from an older specification, which only allows null as well. */
const withoutNullable = (_: string, value: unknown): unknown => {
  const { nullable, ...rest } = Object(value) as { nullable?: unknown }
  return nullable === true ? { anyOf: [rest, { type: 'null' }] } : value
}

const EXAMPLES: Readonly<Record<string, readonly string[]>> = read('requests.json').requests
const FORMATS = ['/chat/completions', '/responses']

const post = (url: string, path: string, body: string) =>
  fetch(`${url}/v1${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

describe('every example of a request in OpenAI’s specification reaches the upstream unchanged', () => {
  let setting: UpstreamGateway

  beforeAll(async () => {
    setting = await startUpstreamGateway('native', () => ({ ENABLE_CACHING: 'false' }))
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  it.each(Object.entries(EXAMPLES))('POST %s', async (path, examples) => {
    const json = JSON.stringify({ ...completion('any', 'ok'), data: [], results: [], created: 1 })
    const whole = sends([json], { type: 'application/json' })
    const chat = says(['ok'])
    const response = responds(nativeResponse('resp_1', [messageItem('msg_1', 'ok')]))
    const known = path === '/responses' ? response : chat
    setting.upstream.usually(FORMATS.includes(path) ? known : whole)
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) {
      // The specification's own placeholders are no models that anyone has.
      const sent = example.replace(/"VAR_[a-z_]+"|"gpt-5\.4"/, '"gpt-4o"')
      const answer = await post(setting.gateway.url, path, sent)
      expect([await answer.text().then(() => answer.status), sent]).toEqual([200, sent])
      const { stream_options: added, ...reached } = JSON.parse(setting.upstream.calls.at(-1)?.body ?? '{}')
      // Of an endpoint with a default model, which this one may not share with its vendor.
      if (!sent.includes('"model"')) delete reached.model
      expect(JSON.stringify(reached)).toBe(JSON.stringify(JSON.parse(sent)))
      const asksForUsage = reached.stream === true && path !== '/responses'
      expect(added).toEqual(asksForUsage ? { include_usage: true } : undefined)
    }
  })
})

/** The specification uses keywords and formats of its own. */
const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false, discriminator: false })
formats.default(ajv)
ajv.addSchema({ ...read('schemas.json', withoutNullable), $id: 'openai' })

const expectValid = (schema: string, value: unknown): void => {
  const validate = ajv.getSchema(`openai#/components/schemas/${schema}`)
  expect(validate, schema).toBeDefined()
  if (!validate?.(value))
    throw new Error(`${schema}: ${JSON.stringify(validate?.errors?.slice(0, 5))} in ${JSON.stringify(value)}`)
}

const eventsOf = (text: string): string[] =>
  new SseParser()
    .push(Buffer.from(text))
    .map(({ data }) => data)
    .filter(data => data !== '[DONE]')

describe('what the gateway itself answers is valid by OpenAI’s specification', () => {
  let gateway: GatewayProcess

  beforeAll(async () => {
    gateway = await GatewayProcess.start('native', { ENABLE_RATE_LIMITING: 'false', MOCK_CHUNK_MS: '0' })
  })
  afterAll(() => gateway?.stop())

  const asked = async (path: string, body: object) =>
    (await post(gateway.url, path, JSON.stringify(body))).text()
  const messages = [{ role: 'user', content: 'Hi' }]

  it.each<[string, string, object]>([
    ['CreateChatCompletionResponse', '/chat/completions', { model: 'mock', messages }],
    ['CreateCompletionResponse', '/completions', { model: 'mock', prompt: 'Hi' }],
    ['CreateEmbeddingResponse', '/embeddings', { model: 'mock', input: ['a', 'b'] }],
    ['CreateModerationResponse', '/moderations', { model: 'mock', input: 'Hi' }],
    ['ImagesResponse', '/images/generations', { model: 'mock', prompt: 'a cat' }],
    ['Response', '/responses', { model: 'mock', input: 'Hi', metadata: { a: 'b' } }],
    ['ErrorResponse', '/chat/completions', { model: 'mock', messages: [] }],
    ['ErrorResponse', '/responses', { model: 'unknown-model', input: 'Hi' }],
    ['ErrorResponse', '/nothing-here', {}],
  ])('%s of POST /v1%s', async (schema, path, body) => {
    expectValid(schema, JSON.parse(await asked(path, body)))
  })

  it('the list of models', async () => {
    expectValid('ListModelsResponse', await (await fetch(`${gateway.url}/v1/models`)).json())
  })

  it('every chunk of a chat completion', async () => {
    const events = eventsOf(
      await asked('/chat/completions', {
        model: 'mock',
        messages,
        stream: true,
        stream_options: { include_usage: true },
      }),
    )
    expect(events.length).toBeGreaterThan(5)
    for (const event of events) expectValid('CreateChatCompletionStreamResponse', JSON.parse(event))
  })

  it.each(['mock', 'mock/cut'])('every event of a response of %s', async model => {
    const events = eventsOf(await asked('/responses', { model, input: 'Hi', stream: true }))
    expect(events.length).toBeGreaterThan(5)
    for (const event of events) expectValid('ResponseStreamEvent', JSON.parse(event))
  })
})
