import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type {
  ChatCompletionChunk,
  ChatCompletionCreateParamsNonStreaming,
} from 'openai/resources/chat/completions'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MESSAGE_FIXTURES } from '../support/anthropic-fixtures.ts'
import { HOSTS } from '../support/gateway.ts'
import { CHAT_FIXTURES, refusesAs } from '../support/openai-behaviour.ts'
import { refuses } from '../support/upstream-behaviour.ts'
import {
  asAnthropicToo,
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const ERROR = {
  message: 'No such thing.',
  type: 'invalid_request_error',
  param: 'messages',
  code: 'bad_thing',
}

/** The bodies of the upstream's last two calls: the gateway's, and the client's own. */
const lastTwo = ({ upstream }: UpstreamGateway): [string, string] => {
  const [one, other] = upstream.calls.slice(-2)
  return [one?.body ?? '', other?.body ?? '']
}

const start = (host: (typeof HOSTS)[number]): Promise<UpstreamGateway> =>
  startUpstreamGateway(host, asAnthropicToo)

describe.each(HOSTS)('the official client of OpenAI, through the %s server and without it', host => {
  let setting: UpstreamGateway
  let direct: OpenAI
  let through: OpenAI

  const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'placeholder', maxRetries: 0 })
  beforeAll(async () => {
    setting = await start(host)
    direct = clientOf(setting.upstream.baseUrl)
    through = clientOf(`${setting.gateway.url}/v1`)
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const askedOf = (fields: object, model: string): ChatCompletionCreateParamsNonStreaming => ({
    model,
    messages: [{ role: 'user', content: 'Hi' }],
    ...fields,
  })

  it.each(Object.entries(CHAT_FIXTURES))('gets the same answer: %s', async (_, { asked, behaviour }) => {
    setting.upstream.forModel('gpt-4o', behaviour)
    const request = askedOf(asked, 'gpt-4o')
    const ours = await through.chat.completions.create(request)
    const theirs = await direct.chat.completions.create(request)
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
    const [ourBody, theirBody] = lastTwo(setting)
    expect(ourBody).toBe(theirBody)
  })

  it.each(Object.entries(CHAT_FIXTURES))('gets the same stream: %s', async (_, { asked, behaviour }) => {
    setting.upstream.forModel('gpt-4o', behaviour)
    const request = {
      ...askedOf(asked, 'gpt-4o'),
      stream: true as const,
      stream_options: { include_usage: true },
    }
    const chunksOf = async (client: OpenAI): Promise<string[]> => {
      const chunks: ChatCompletionChunk[] = []
      for await (const one of await client.chat.completions.create(request)) chunks.push(one)
      return chunks.map(one => JSON.stringify(one))
    }
    expect(await chunksOf(through)).toEqual(await chunksOf(direct))
    const [ourBody, theirBody] = lastTwo(setting)
    expect(ourBody).toBe(theirBody)
    const finalOf = (client: OpenAI) => client.chat.completions.stream(request).finalChatCompletion()
    expect(await finalOf(through)).toEqual(await finalOf(direct))
  })

  it.each([true, false])('throws the same error for a refused request, streamed: %s', async stream => {
    for (const status of [400, 404, 413, 422]) {
      const model = `gpt-${status}`
      setting.upstream.forModel(model, refusesAs(status, ERROR))
      const thrownBy = (client: OpenAI): Promise<InstanceType<typeof OpenAI.APIError>> =>
        client.chat.completions.create({ ...askedOf({}, model), stream }).then(
          () => Promise.reject(new Error('did not throw')),
          reason => reason,
        )
      const [ours, theirs] = [await thrownBy(through), await thrownBy(direct)]
      expect(ours.constructor).toBe(theirs.constructor)
      expect({ ...ours.error, message: ours.message }).toEqual({ ...theirs.error, message: theirs.message })
      expect(ours).toMatchObject({
        status,
        code: 'bad_thing',
        param: 'messages',
        type: 'invalid_request_error',
      })
    }
  })

  it.each([
    [401, 502, 'provider_error'],
    [429, 503, 'provider_rate_limit'],
    [500, 502, 'provider_error'],
  ])('does not see the gateway’s own errors upstream: %i is %i %s', async (theirs, status, code) => {
    const model = `gpt-${theirs}`
    setting.upstream.forModel(model, refuses(theirs))
    for (const stream of [false, true])
      await expect(through.chat.completions.create({ ...askedOf({}, model), stream })).rejects.toMatchObject({
        status,
        code,
      })
  })
})

describe.each(HOSTS)('the official client of Anthropic, through the %s server and without it', host => {
  let setting: UpstreamGateway
  let direct: Anthropic
  let through: Anthropic

  const clientOf = (baseURL: string) => new Anthropic({ baseURL, apiKey: 'placeholder', maxRetries: 0 })
  beforeAll(async () => {
    setting = await start(host)
    direct = clientOf(setting.upstream.baseUrl.replace(/\/v1$/, ''))
    through = clientOf(setting.gateway.url)
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const askedOf = (fields: object, model: string): Anthropic.MessageCreateParamsNonStreaming => ({
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content: 'Hi' }],
    ...fields,
  })

  it.each(Object.entries(MESSAGE_FIXTURES))('gets the same answer: %s', async (_, { asked, behaviour }) => {
    setting.upstream.forModel('claude-fake', behaviour)
    const request = askedOf(asked, 'claude-fake')
    const ours = await through.messages.create(request)
    const theirs = await direct.messages.create(request)
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs))
    const [ourBody, theirBody] = lastTwo(setting)
    expect(ourBody).toBe(theirBody)
  })

  it.each(Object.entries(MESSAGE_FIXTURES))('gets the same stream: %s', async (_, { asked, behaviour }) => {
    setting.upstream.forModel('claude-fake', behaviour)
    const request = askedOf(asked, 'claude-fake')
    const eventsOf = async (client: Anthropic): Promise<string[]> => {
      const events: string[] = []
      for await (const event of await client.messages.create({ ...request, stream: true }))
        events.push(JSON.stringify(event))
      return events
    }
    expect(await eventsOf(through)).toEqual(await eventsOf(direct))
    const [ourBody, theirBody] = lastTwo(setting)
    expect(ourBody).toBe(theirBody)
    const finalOf = (client: Anthropic) => client.messages.stream(request).finalMessage()
    expect(await finalOf(through)).toEqual(await finalOf(direct))
  })

  it.each([
    [400, 'invalid_request_error'],
    [404, 'not_found_error'],
    [413, 'request_too_large'],
  ])('throws the same error for a refused request: %i %s', async (status, type) => {
    const model = `claude-${status}`
    const error = { type, message: 'messages: no such thing' }
    setting.upstream.forModel(model, refuses(status, { body: JSON.stringify({ type: 'error', error }) }))
    for (const stream of [false, true]) {
      const thrownBy = (client: Anthropic): Promise<InstanceType<typeof Anthropic.APIError>> =>
        client.messages.create({ ...askedOf({}, model), stream }).then(
          () => Promise.reject(new Error('did not throw')),
          reason => reason,
        )
      const [ours, theirs] = [await thrownBy(through), await thrownBy(direct)]
      expect(ours.constructor).toBe(theirs.constructor)
      expect(ours).toMatchObject({ status: theirs.status, error: { type: 'error', error } })
    }
  })

  it.each([
    [401, 502, 'api_error'],
    [429, 503, 'overloaded_error'],
    [500, 502, 'api_error'],
    [529, 502, 'api_error'],
  ])('does not see the gateway’s own errors upstream: %i is %i %s', async (theirs, status, type) => {
    const model = `claude-${theirs}`
    setting.upstream.forModel(model, refuses(theirs))
    for (const stream of [false, true])
      await expect(through.messages.create({ ...askedOf({}, model), stream })).rejects.toMatchObject({
        status,
        error: { error: { type } },
      })
  })
})
