import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const BODY_BYTES = 30_000_000
const JSON_ROUTES = [
  '/v1/chat/completions',
  '/v1/responses',
  '/v1/messages',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/moderations',
  '/v1/images/generations',
  '/v1/audio/speech',
  '/v1/rerank',
]

/** Declares a body of 30 MB, sends a hundred bytes of it, and waits for the response. */
const announce = async (url: string, path: string, headers: Record<string, string> = {}) => {
  const asked = request(`${url}${path}`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': BODY_BYTES, ...headers },
  })
  asked.on('error', () => {})
  asked.write(`{"model":"mock/echo","input":"${'a'.repeat(100)}`)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  const body = await json(answer)
  asked.destroy()
  return { status: answer.statusCode, headers: answer.headers, body }
}

describe.each(HOSTS)('admission under the %s host', host => {
  let gateway: GatewayProcess

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      TRUSTED_PROXY_HOPS: '1',
      ADMIN_TOKEN: 'a-token-of-the-tests',
      RATE_LIMIT_ANONYMOUS: '3/1m',
      RATE_LIMIT_IMAGES: '1/1m',
      RATE_LIMIT_API: '1/1m',
    })
  })
  afterAll(() => gateway?.stop())

  const post = (path: string, body: unknown, address: string) =>
    fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  const ask = (address: string) =>
    post('/v1/chat/completions', { model: 'mock/echo', messages: [{ role: 'user', content: 'Hi' }] }, address)

  it.each(JSON_ROUTES)('%s refuses a key with 401 before a body of 30 MB has come', async path => {
    const answer = await announce(gateway.url, path, { authorization: 'Bearer sk-unknown' })
    expect(answer.status).toBe(401)
    expect(answer.headers['x-request-id']).toBeDefined()
  })

  describe('a caller beyond the limit', () => {
    const address = '198.51.100.1'
    beforeAll(async () => {
      for (let asked = 0; asked < 3; asked += 1) expect((await ask(address)).status).toBe(200)
      await post('/v1/images/generations', { model: 'mock', prompt: 'a' }, address)
      await post('/v1/moderations', { model: 'mock', input: 'a' }, address)
    })

    it.each(JSON_ROUTES)('gets 429 from %s before a body of 30 MB has come', async path => {
      const answer = await announce(gateway.url, path, { 'x-forwarded-for': address })
      expect(answer.status).toBe(429)
      expect(answer.headers).toMatchObject({
        'retry-after': expect.stringMatching(/^\d+$/),
        'x-ratelimit-limit-requests': expect.stringMatching(/^[13]$/),
        'x-ratelimit-remaining-requests': '0',
        'x-ratelimit-reset-requests': expect.stringMatching(/^(\d+m)?\d+s$/),
        ...(host === 'native' && { connection: 'close' }),
      })
    })
  })

  it.each<[string, string, unknown, number]>([
    ['invalid', '/v1/chat/completions', { model: 'mock/echo' }, 400],
    ['not JSON', '/v1/responses', '{', 400],
    ['empty', '/v1/messages', '', 400],
    ['without its input', '/v1/embeddings', { model: 'mock' }, 400],
    ['for an unknown model', '/v1/completions', { model: 'no-such-model', prompt: 'Hi' }, 404],
  ])('costs nothing to a request that is %s (%s), and says so', async (_, path, body, status) => {
    const address = `198.51.100.1${path.length}`
    for (let tries = 0; tries < 5; tries += 1) {
      const answer = await post(path, body, address)
      expect(answer.status).toBe(status)
      expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('3')
    }
    expect((await ask(address)).headers.get('x-ratelimit-remaining-requests')).toBe('2')
  })
})
