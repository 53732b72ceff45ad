import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { events, json, post, textOf } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { ForwardProxy } from '../support/forward-proxy.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { neverEnds, says } from '../support/upstream-behaviour.ts'

const PASSWORD = 'proxy-password-0123'

describe('calls to providers through a proxy', () => {
  let proxy: ForwardProxy
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeEach(async () => {
    proxy = await ForwardProxy.start()
    upstream = (await FakeUpstream.start()).usually(says(['Hello', ' there']))
  })
  afterEach(async () => {
    expect(gateway.everything).not.toContain(PASSWORD)
    await gateway.stop()
    await upstream.stop()
    await proxy.stop()
  })

  const start = async (env: Record<string, string>) => {
    gateway = await GatewayProcess.start('native', {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      MAX_RETRIES: '0',
      ENABLE_CACHING: 'false',
      ENABLE_RATE_LIMITING: 'false',
      ...env,
    })
  }
  const ask = (changes: object = {}) =>
    post(gateway.url, { prompt: 'Hi', model: 'openai/any', fallback: false, ...changes })

  it.each(['HTTP_PROXY', 'http_proxy'])(
    'go through %s, loopback ones too, with its credentials',
    async name => {
      await start({ [name]: `http://me:${PASSWORD}@${proxy.address}` })
      expect((await json(await ask())).content).toBe('Hello there')
      expect(textOf(await events(await ask({ stream: true })))).toBe('Hello there')
      expect(proxy.seen).toEqual(Array(2).fill(`POST ${upstream.baseUrl}/chat/completions`))
      expect(proxy.credentials).toEqual(Array(2).fill(`me:${PASSWORD}`))
      expect(upstream.calls[0]?.headers).not.toHaveProperty('proxy-authorization')
    },
  )

  it('go directly where NO_PROXY names the host', async () => {
    await start({ HTTP_PROXY: `http://${proxy.address}`, NO_PROXY: 'localhost, 127.0.0.1' })
    expect((await ask()).status).toBe(200)
    expect(proxy.seen).toEqual([])
  })

  it('go through CONNECT to https addresses', async () => {
    const secure: Server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => secure.once('listening', resolve))
    const { port } = secure.address() as AddressInfo
    await start({
      HTTPS_PROXY: `http://me:${PASSWORD}@${proxy.address}`,
      OPENAI_BASE_URL: `https://127.0.0.1:${port}/v1`,
    })
    // The tunnel stands; the server behind it has no certificate to show.
    expect((await json(await ask())).error.code).toBe('NETWORK')
    expect(proxy.seen).toEqual([`CONNECT 127.0.0.1:${port}`])
    expect(proxy.credentials).toEqual([`me:${PASSWORD}`])
    secure.close()
  })

  it.each(['http', 'https'])('fail calmly where the proxy refuses them (%s)', async protocol => {
    proxy.behaviour = 'refuses'
    await start({
      HTTP_PROXY: `http://${proxy.address}`,
      OPENAI_BASE_URL: upstream.baseUrl.replace('http:', `${protocol}:`),
    })
    const answer = await ask()
    expect(answer.status).toBe(502)
    expect((await json(answer)).error.code).toBe('NETWORK')
    expect(upstream.calls).toEqual([])
  })

  it('end within their deadline where the proxy is silent, and leave no connection behind', async () => {
    proxy.behaviour = 'silent'
    await start({
      HTTP_PROXY: `http://${proxy.address}`,
      OPENAI_BASE_URL: upstream.baseUrl.replace('http:', 'https:'),
      REQUEST_TIMEOUT_MS: '1000',
    })
    const startedAt = performance.now()
    expect((await ask()).status).toBe(504)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    await expect.poll(() => proxy.openConnections, { timeout: 10_000 }).toBe(0)
  })

  it('are broken off upstream when the client leaves', async () => {
    upstream.usually(neverEnds({ paceMs: 20 }))
    await start({ HTTP_PROXY: `http://${proxy.address}` })
    const client = new AbortController()
    const body = { prompt: 'Hi', model: 'openai/any', stream: true }
    await post(gateway.url, body, { signal: client.signal })
    client.abort()
    await expect.poll(() => upstream.calls[0]?.abandonedAt).toBeDefined()
  })
})
