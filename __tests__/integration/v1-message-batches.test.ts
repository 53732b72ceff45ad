import Anthropic from '@anthropic-ai/sdk'
import type { MessageBatch } from '@anthropic-ai/sdk/resources/messages/batches'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { answers, message, texts } from '../support/anthropic-behaviour.ts'
import { HOSTS } from '../support/gateway.ts'
import { type Behaviour, echoes } from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const CLAUDE = 'claude-sonnet-4-5'
const GPT = 'gpt-4o'

/** Blocks that only a later version of Anthropic's API knows, and a tool call. */
const everything: Behaviour = answers(
  {
    ...message(
      [
        { type: 'thinking', thinking: 'Hm.', signature: 'sig' },
        { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Köln' } },
        { type: 'hologram', angle: 1.5 },
      ],
      'tool_use',
    ),
    vendor_note: 'kept',
  },
  [],
)

const params = (content: string, more: object = {}): Anthropic.MessageCreateParamsNonStreaming => ({
  model: GPT,
  max_tokens: 50,
  messages: [{ role: 'user', content }],
  ...more,
})

describe.each(HOSTS)('batches of messages with the official client, under the %s server', host => {
  let setting: UpstreamGateway
  let client: Anthropic

  beforeAll(async () => {
    setting = await startUpstreamGateway(host, baseUrl => ({
      ANTHROPIC_API_KEY: 'sk-ant',
      ANTHROPIC_BASE_URL: baseUrl,
      ENABLE_CACHING: 'false',
      BREAKER_FAILURES: '1000',
      BATCH_CONCURRENCY: '10',
    }))
    setting.upstream.forModel(GPT, echoes)
    client = new Anthropic({ baseURL: setting.gateway.url, apiKey: 'placeholder', maxRetries: 0 })
  })
  afterAll(() => stopUpstreamGateway(setting ?? {}))

  const ended = async ({ id }: Pick<MessageBatch, 'id'>): Promise<MessageBatch> => {
    const retrieve = async () => {
      const batch = await client.messages.batches.retrieve(id)
      if (batch.processing_status !== 'ended') throw new Error(`it did not end: ${JSON.stringify(batch)}`)
      return batch
    }
    return vi.waitFor(retrieve, { timeout: 60_000 })
  }
  const resultsOf = async (id: string) => {
    const results = []
    for await (const one of await client.messages.batches.results(id)) results.push(one)
    return results
  }

  it('asks each request once, of any vendor, and gives what the route itself answers', async () => {
    setting.upstream.forModel(CLAUDE, everything)
    const before = setting.upstream.calls.length
    const started = await client.messages.batches.create(
      {
        requests: [
          { custom_id: 'gpt', params: params(`Hello from ${host}`) },
          { custom_id: 'claude', params: params('Weather?', { model: CLAUDE, odd: [1] }) },
          { custom_id: 'wrong', params: params('Hi', { max_tokens: -1 }) },
          { custom_id: 'unknown', params: params('Hi', { model: 'no-such-model' }) },
        ],
      },
      { headers: { 'anthropic-beta': 'odd-2026' } },
    )
    expect(started).toMatchObject({
      id: expect.stringMatching(/^msgbatch_[\da-f]{32}$/),
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 4, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      results_url: null,
      ended_at: null,
    })
    expect(Date.parse(started.expires_at) - Date.parse(started.created_at)).toBe(86_400_000)
    const batch = await ended(started)
    expect(batch.request_counts).toEqual({ processing: 0, succeeded: 2, errored: 2, canceled: 0, expired: 0 })
    expect(batch.results_url).toBe(`${setting.gateway.url}/v1/messages/batches/${batch.id}/results`)

    const live = await client.messages.create(params('Weather?', { model: CLAUDE, odd: [1] }))
    const results = await resultsOf(batch.id)
    expect(results).toMatchObject([
      {
        custom_id: 'gpt',
        result: {
          type: 'succeeded',
          message: { type: 'message', content: [{ type: 'text', text: `Hello from ${host}` }] },
        },
      },
      { custom_id: 'claude', result: { type: 'succeeded', message: { vendor_note: 'kept' } } },
      {
        custom_id: 'wrong',
        result: { type: 'errored', error: { type: 'error', error: { type: 'invalid_request_error' } } },
      },
      {
        custom_id: 'unknown',
        result: { type: 'errored', error: { type: 'error', error: { type: 'not_found_error' } } },
      },
    ])
    const claude = results[1]?.result
    expect(claude?.type === 'succeeded' && claude.message).toEqual({ ...live })
    const calls = setting.upstream.calls.slice(before)
    expect(calls.map(({ asked }) => asked.model).toSorted()).toEqual([CLAUDE, CLAUDE, GPT])
    const [asItem, asLive] = calls.filter(({ asked }) => asked.model === CLAUDE)
    expect(asItem?.body).toBe(asLive?.body)
    expect(asItem?.headers['anthropic-beta']).toBe('odd-2026')
    const files = await (await fetch(`${setting.gateway.url}/v1/files`)).json()
    expect(files.data).toEqual([])
  })

  it('lists its batches newest first, from either side, and deletes one that has ended', async () => {
    const made: string[] = []
    for (let index = 0; index < 3; index += 1) {
      const { id } = await client.messages.batches.create({
        requests: [{ custom_id: 'a', params: params(`${index}`) }],
      })
      made.unshift(id)
    }
    const found: string[] = []
    for await (const { id } of client.messages.batches.list({ limit: 2 })) found.push(id)
    expect(found.slice(0, 3)).toEqual(made)
    const newer = await client.messages.batches.list({ before_id: made[2] ?? '', limit: 1 })
    expect(newer.data.map(({ id }) => id)).toEqual([made[1]])
    expect(newer.has_more).toBe(true)

    const [id = ''] = made
    await ended({ id })
    expect(await client.messages.batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' })
    await expect(client.messages.batches.retrieve(id)).rejects.toMatchObject({
      status: 404,
      error: { type: 'error', error: { type: 'not_found_error' } },
    })
  })

  it('cancels: what has not ended is canceled, and cannot be deleted or read before', async () => {
    const model = 'claude-opus-4-1'
    const isOpen = Promise.withResolvers<void>()
    setting.upstream.forModel(model, () => isOpen.resolve())
    const { id } = await client.messages.batches.create({
      requests: [{ custom_id: 'never', params: params('Hi', { model }) }],
    })
    await isOpen.promise
    await expect(client.messages.batches.delete(id)).rejects.toMatchObject({ status: 409 })
    const early = await fetch(`${setting.gateway.url}/v1/messages/batches/${id}/results`)
    expect([early.status, (await early.json()).error.type]).toEqual([404, 'not_found_error'])
    const cancelled = await client.messages.batches.cancel(id)
    expect(cancelled.cancel_initiated_at).not.toBeNull()
    const batch = await ended({ id })
    expect(batch.request_counts).toEqual({ processing: 0, succeeded: 0, errored: 0, canceled: 1, expired: 0 })
    expect(await resultsOf(id)).toEqual([{ custom_id: 'never', result: { type: 'canceled' } }])
  })

  it('refuses what is no batch, in Anthropic’s form, and names where', async () => {
    const good = { custom_id: 'a', params: params('Hi') }
    const refused: readonly [unknown, string][] = [
      [{ requests: [] }, 'requests'],
      [{}, 'requests'],
      [{ requests: [good, good] }, 'requests[1].custom_id'],
      [{ requests: [{ ...good, custom_id: 'a b' }] }, 'requests[0].custom_id'],
      [{ requests: [{ custom_id: 'a' }] }, 'requests[0].params'],
    ]
    for (const [body, path] of refused)
      await expect(client.messages.batches.create(body as never)).rejects.toMatchObject({
        status: 400,
        error: {
          type: 'error',
          error: { type: 'invalid_request_error', message: expect.stringContaining(path) },
        },
      })
    setting.upstream.forModel(CLAUDE, texts('ok'))
    const other = await fetch(`${setting.gateway.url}/v1/messages/batches/x/nothing`)
    expect([other.status, (await other.json()).type]).toEqual([404, 'error'])
  })
})
