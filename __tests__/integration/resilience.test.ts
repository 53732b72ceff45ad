import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { settled } from '../support/settled.ts'
import { inTurn, neverEnds, refuses, says } from '../support/upstream-behaviour.ts'

const OPEN_MS = 1_500

describe('a gateway whose providers fail', () => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess
  const ask = (body: object) => post(gateway.url, { prompt: 'Hi', cache: 'no-store', ...body })

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      // A provider whose retry budget no other test here has spent.
      GROQ_API_KEY: 'gsk-test',
      GROQ_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      REQUEST_TIMEOUT_MS: '20000',
      BREAKER_OPEN_MS: String(OPEN_MS),
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  it.each([false, true])(
    'asks once more, and the client sees an ordinary answer (stream: %s)',
    async stream => {
      const model = upstream.modelThat(inTurn(refuses(503), says(['Hello'])))
      const answer = await ask({ model: `openai/${model}`, stream })
      expect(answer.status).toBe(200)
      expect(answer.headers.get('x-gateway-attempts')).toBe('2')
      expect(answer.headers.get('x-gateway-fallback')).toBe('false')
      const content = stream ? textOf(await events(answer)) : (await json(answer)).content
      expect(content).toBe('Hello')
      expect(upstream.callsFor(model)).toHaveLength(2)
    },
  )

  it('asks no provider twice what it will not accept', async () => {
    const model = upstream.modelThat(refuses(400))
    expect((await ask({ model: `openai/${model}` })).status).toBe(400)
    expect(upstream.callsFor(model)).toHaveLength(1)
  })

  it('does not take a refused key for a model that is not well, nor shows it again and again', async () => {
    const model = upstream.modelThat(refuses(401))
    for (let call = 0; call < 5; call += 1)
      expect((await json(await ask({ model: `openai/${model}` }))).error.code).toBe('PROVIDER_ERROR')
    expect(upstream.callsFor(model)).toHaveLength(1)
  })

  it.each([409, 410, 425, 451, 498])(
    'answers the next caller after an upstream refused one with %i',
    async status => {
      const model = upstream.modelThat(refuses(status))
      expect((await ask({ model: `openai/${model}` })).status).toBe(502)
      upstream.forModel(model, says(['Well']))
      expect((await ask({ model: `openai/${model}` })).status).toBe(200)
    },
  )

  it('leaves a busy model alone for as long as it says, and lets another answer at once', async () => {
    upstream.forModel('gpt-5', refuses(429, { headers: { 'retry-after': '9999' } }))
    upstream.forModel('gpt-5-mini', says(['Mini']))
    for (let call = 0; call < 5; call += 1)
      expect((await ask({ model: 'gpt-5' })).headers.get('x-gateway-model')).toBe('gpt-5-mini')
    expect(upstream.callsFor('gpt-5')).toHaveLength(1)
    const alone = await ask({ model: 'gpt-5', fallback: false })
    expect((await json(alone)).error.code).toBe('PROVIDER_RATE_LIMIT')
    const wait = Number(alone.headers.get('retry-after'))
    expect(wait).toBeGreaterThan(100)
    expect(wait).toBeLessThanOrEqual(300)
    expect(upstream.callsFor('gpt-5')).toHaveLength(1)
  })

  it('does not try again once the first content is out', async () => {
    const model = upstream.modelThat(
      inTurn(
        (response, asked, signal) => {
          void neverEnds({ paceMs: 5 })(response, asked, signal)
          setTimeout(() => response.socket?.resetAndDestroy(), 50)
        },
        says(['never']),
      ),
    )
    const found = await events(await ask({ model: `openai/${model}`, stream: true }))
    expect(found.at(-1)).toMatchObject({ event: 'error', data: { error: { code: 'NETWORK' } } })
    expect(upstream.callsFor(model)).toHaveLength(1)
  })

  it.each([false, true])('lets another model answer, and says so (stream: %s)', async stream => {
    upstream.forModel('gpt-4o', refuses(429, { headers: { 'retry-after': '60' } }))
    upstream.forModel('gpt-4', says(['Instead']))
    const answer = await ask({ model: 'gpt-4o', stream })
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'x-gateway-model': 'gpt-4',
      'x-gateway-fallback': 'true',
      // The second time, the busy one is still left alone.
      'x-gateway-attempts': stream ? '1' : '2',
    })
    const told = stream ? (await events(answer)).at(-1)?.data : await json(answer)
    // Priced as the model that answered: 7 × 30 + 5 × 60 dollars a million.
    expect(told).toMatchObject({ model: 'gpt-4', costUsd: 0.00051 })
    expect(await gateway.lineOf(answer.headers.get('x-request-id') ?? '')).toMatchObject({
      model: 'gpt-4',
      fallback: true,
      attempts: stream ? 1 : 2,
    })
  })

  it('lets no other model answer a caller that forbids it, and passes the time to wait on', async () => {
    upstream.forModel('gpt-4', refuses(429, { headers: { 'retry-after': '60' } }))
    const answer = await ask({ model: 'gpt-4', fallback: false })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('60')
    expect((await json(answer)).error.code).toBe('PROVIDER_RATE_LIMIT')
  })

  it('leaves a dead model alone, then sends one of a thousand callers to look, and all once it is well', async () => {
    const model = upstream.modelThat(refuses(500))
    const call = () => ask({ model: `openai/${model}` })
    const before = await Promise.all(Array.from({ length: 50 }, call))
    expect(before.map(({ status }) => status).every(status => status === 502 || status === 503)).toBe(true)
    const refused = await call()
    expect(refused.status).toBe(503)
    expect((await json(refused)).error.code).toBe('MODEL_UNAVAILABLE')
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)

    const seen = upstream.callsFor(model).length
    expect(seen).toBeLessThanOrEqual(60)
    const well = Promise.withResolvers<void>()
    upstream.forModel(model, async (...asked) => {
      await well.promise
      return says(['Well again'])(...asked)
    })
    // Real time: the cooldown of another process, jitter included.
    await sleep(OPEN_MS * 1.3)
    const statuses: number[] = []
    const probing = Array.from({ length: 1_000 }, async () => statuses.push((await call()).status))
    await expect.poll(() => statuses, { timeout: 60_000 }).toHaveLength(999)
    expect(new Set(statuses)).toEqual(new Set([503]))
    expect(upstream.callsFor(model)).toHaveLength(seen + 1)
    well.resolve()
    await Promise.all(probing)
    expect(statuses.at(-1)).toBe(200)
    expect((await call()).status).toBe(200)
  })

  it('stops trying when the client leaves', async () => {
    const model = upstream.modelThat(refuses(500))
    const client = new AbortController()
    const left = post(
      gateway.url,
      { prompt: 'Hi', cache: 'no-store', model: `groq/${model}` },
      { signal: client.signal },
    ).catch(() => 'left')
    await gateway.until(() => upstream.callsFor(model)[0], 'the call')
    client.abort()
    expect(await left).toBe('left')
    await settled(() => upstream.callsFor(model).length)
    expect(upstream.open).toEqual([])
    expect(upstream.callsFor(model).length).toBeLessThanOrEqual(2)
  })
})
