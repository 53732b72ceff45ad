import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { ForwardProxy } from '../support/forward-proxy.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { neverEnds, says } from '../support/upstream-behaviour.ts'

const PASSWORD = 'proxy-password-0123'

describe('calls to providers through a proxy', () => {
  let proxy: ForwardProxy
  let upstream: FakeUpstream
  let secure: Server
  let gateway: GatewayProcess

  const start = (env: Record<string, string>) =>
    GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      MAX_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      ENABLE_CACHING: 'false',
      ENABLE_RATE_LIMITING: 'false',
      ...env,
    })

  beforeAll(async () => {
    proxy = await ForwardProxy.start()
    upstream = await FakeUpstream.start()
    secure = createServer().listen(0, '127.0.0.1')
    await once(secure, 'listening')
    gateway = await start({
      HTTP_PROXY: `http://me:${PASSWORD}@${proxy.address}`,
      HTTPS_PROXY: `http://me:${PASSWORD}@${proxy.address}`,
      GROQ_API_KEY: 'gsk-test',
      GROQ_BASE_URL: secureUrl(),
    })
  })
  beforeEach(() => {
    upstream.usually(says(['Hello', ' there']))
    upstream.calls.length = 0
    proxy.reset()
  })
  afterAll(async () => {
    expect(gateway.everything).not.toContain(PASSWORD)
    await gateway.stop()
    await upstream.stop()
    await proxy.stop()
    secure.close()
  })

  const secureUrl = () => `https://127.0.0.1:${(secure.address() as AddressInfo).port}/v1`
  const ask = (changes: object = {}, { url } = gateway) =>
    post(url, { prompt: 'Hi', model: 'openai/any', fallback: false, ...changes })
  const expectProxied = async (by: GatewayProcess) => {
    expect((await json(await ask({}, by))).content).toBe('Hello there')
    expect(textOf(await events(await ask({ stream: true }, by)))).toBe('Hello there')
    expect(proxy.seen).toEqual(Array(2).fill(`POST ${upstream.baseUrl}/chat/completions`))
    expect(proxy.credentials).toEqual(Array(2).fill(`me:${PASSWORD}`))
    expect(upstream.calls[0]?.headers).not.toHaveProperty('proxy-authorization')
  }
  const withGateway = async (env: Record<string, string>, test: (other: GatewayProcess) => Promise<void>) => {
    const other = await start(env)
    try {
      await test(other)
      expect(other.everything).not.toContain(PASSWORD)
    } finally {
      await other.stop()
    }
  }

  it('go through HTTP_PROXY, also to loopback addresses, with its credentials', () => expectProxied(gateway))

  it('go through http_proxy in the same way', () =>
    withGateway({ http_proxy: `http://me:${PASSWORD}@${proxy.address}` }, expectProxied))

  it('go directly where NO_PROXY names the host', () =>
    withGateway({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: 'localhost, 127.0.0.1' }, async other => {
      expect((await ask({}, other)).status).toBe(200)
      expect(proxy.seen).toEqual([])
    }))

  it('go through CONNECT to https addresses', async () => {
    // The tunnel is established; the server at its end has no certificate to show.
    expect((await json(await ask({ model: 'groq/any' }))).error.code).toBe('NETWORK')
    expect(proxy.seen).toEqual([`CONNECT ${new URL(secureUrl()).host}`])
    expect(proxy.credentials).toEqual([`me:${PASSWORD}`])
  })

  it.each([
    ['http', 'openai/any'],
    ['https', 'groq/any'],
  ])('fail as NETWORK where the proxy refuses them (%s)', async (_, model) => {
    proxy.behaviour = 'refuses'
    const answer = await ask({ model })
    expect(answer.status).toBe(502)
    expect((await json(answer)).error.code).toBe('NETWORK')
    expect(upstream.calls).toEqual([])
  })

  it('end within their deadline where the proxy is silent, and leave no connection open', () => {
    const env = {
      HTTPS_PROXY: `http://${proxy.address}`,
      OPENAI_BASE_URL: secureUrl(),
      REQUEST_TIMEOUT_MS: '1000',
    }
    return withGateway(env, async other => {
      const before = proxy.openConnections
      proxy.behaviour = 'silent'
      const startedAt = performance.now()
      expect((await ask({}, other)).status).toBe(504)
      expect(performance.now() - startedAt).toBeLessThan(2_000)
      expect(proxy.seen).toHaveLength(1)
      await expect.poll(() => proxy.openConnections, { timeout: 10_000 }).toBeLessThanOrEqual(before)
    })
  })

  it('are aborted upstream when the client leaves', async () => {
    upstream.usually(neverEnds({ paceMs: 20 }))
    const client = new AbortController()
    const body = { prompt: 'Hi', model: 'openai/any', stream: true }
    await post(gateway.url, body, { signal: client.signal })
    client.abort()
    await expect.poll(() => upstream.calls[0]?.abandonedAt).toBeDefined()
  })
})
