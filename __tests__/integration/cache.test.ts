import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import type { FakeUpstream } from '../support/fake-upstream.ts'
import { type GatewayProcess, HOSTS } from '../support/gateway.ts'
import { chunk, says, sse, streamEnd, write } from '../support/upstream-behaviour.ts'
import { startUpstreamGateway, stopUpstreamGateway } from '../support/upstream-gateway.ts'

/** Next's host serves a tenth of what the native one does. */
const CALLERS = { native: 500, next: 100 }

describe.each(HOSTS)('answers asked for again under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    ;({ upstream, gateway } = await startUpstreamGateway(host))
  })
  afterAll(() => stopUpstreamGateway({ upstream, gateway }))

  const guest = async (): Promise<{ headers: { cookie: string } }> => {
    const answer = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
    return { headers: { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' } }
  }

  it('are repeated as JSON and as a stream, cost nothing, and say so', async () => {
    upstream.forModel('gpt-4o-mini', says(['Once', ' asked']))
    const question = { prompt: 'Twice?', model: 'gpt-4o-mini' }
    const first = await json(await post(gateway.url, question))
    expect(first).toMatchObject({ content: 'Once asked', cache: 'miss', costUsd: 0.00000405 })

    const again = await post(gateway.url, question)
    expect(Object.fromEntries(again.headers)).toMatchObject({
      'x-gateway-cache': 'hit',
      'x-gateway-cost-usd': '0',
      'x-gateway-attempts': '0',
      'x-gateway-model': 'gpt-4o-mini',
      'cache-status': expect.stringMatching(/^Parley; hit; ttl=\d+$/),
      age: expect.stringMatching(/^\d+$/),
    })
    const { id, content, usage } = first
    expect(await json(again)).toMatchObject({ id, content, usage, cache: 'hit', costUsd: 0 })

    const streamed = await events(await post(gateway.url, { ...question, stream: true }))
    expect(textOf(streamed)).toBe('Once asked')
    expect(streamed.at(-1)?.data).toMatchObject({ cache: 'hit', costUsd: 0 })
    expect(upstream.callsFor('gpt-4o-mini')).toHaveLength(1)
  })

  it('are out of reach for other callers', async () => {
    const model = upstream.modelThat(says(['Secret']))
    const question = { prompt: 'Mine', model: `openai/${model}` }
    const [ada, eve] = [await guest(), await guest()]
    expect((await json(await post(gateway.url, question, ada))).cache).toBe('miss')
    expect((await json(await post(gateway.url, question, eve))).cache).toBe('miss')
    expect((await json(await post(gateway.url, question))).cache).toBe('miss')
    expect((await json(await post(gateway.url, question, ada))).cache).toBe('hit')
    expect(upstream.callsFor(model)).toHaveLength(3)
  })

  it('are asked for once by hundreds at the same moment, also when the first one leaves', async () => {
    const rest = Promise.withResolvers<void>()
    const model = upstream.modelThat(async (response, _asked, signal) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      await write(response, sse(chunk({ content: 'one ' })), signal)
      await rest.promise
      response.end(sse(chunk({ content: 'two' })) + streamEnd())
    })
    const question = { prompt: 'All at once', model: `openai/${model}`, stream: true }
    const leader = new AbortController()
    const first = await post(gateway.url, question, { signal: leader.signal })
    const others = await Promise.all(
      Array.from({ length: CALLERS[host] - 1 }, () => post(gateway.url, question)),
    )
    await first.body?.getReader().read()
    leader.abort()
    rest.resolve()
    const texts = await Promise.all(others.map(async answer => textOf(await events(answer))))
    expect(new Set(texts)).toEqual(new Set(['one two']))
    expect(upstream.callsFor(model)).toHaveLength(1)
  })
})
