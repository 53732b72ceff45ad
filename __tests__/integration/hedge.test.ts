import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { hangs, says } from '../support/upstream-behaviour.ts'

describe('a gateway that may ask twice', () => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  const ask = (model: string) => post(gateway.url, { prompt: 'Hello there', cache: 'no-store', model })

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      HEDGE_SHARE: '0.2',
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  it('answers from the second attempt where the first one hangs, leaves the first, and tells its cost', async () => {
    upstream.forModel('gpt-4o', says(['Usual'])).forModel('gpt-4', says(['Second']))
    for (let call = 0; call < 20; call += 1) await (await ask('gpt-4o')).text()
    upstream.forModel('gpt-4o', hangs)
    const answer = await ask('gpt-4o')
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-gateway-model': 'gpt-4',
      'x-gateway-fallback': 'true',
      'x-gateway-attempts': '2',
    })
    expect((await json(answer)).content).toBe('Second')
    await expect.poll(() => upstream.callsFor('gpt-4o').at(-1)?.abandonedAt).toBeDefined()
    // Eleven bytes are three tokens, at 2.5 dollars a million.
    expect(await gateway.lineOf(answer.headers.get('x-request-id') ?? '')).toMatchObject({
      hedged: 'won',
      hedgeCostUsd: 0.0000075,
    })
    const explained = await fetch(`${gateway.url}/api/requests/${answer.headers.get('x-request-id')}`)
    const { request, attempts } = await json(explained)
    // The loser has read the question; the winner reports 7 tokens in, at 30 dollars a million, and 5 out, at 60.
    expect(attempts).toMatchObject([
      { target: { model: 'gpt-4o' }, outcome: 'aborted', costNanoUsd: '7500', usage: { estimated: true } },
      { target: { model: 'gpt-4' }, outcome: 'ok', costNanoUsd: '510000' },
    ])
    expect(request).toMatchObject({ attempts: 2, costNanoUsd: '517500' })
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toContain('parley_hedges_total{result="won"} 1')
    expect((await (await fetch(`${gateway.url}/api/health`)).json()).services.openai.status).toBe('healthy')
  })
})
