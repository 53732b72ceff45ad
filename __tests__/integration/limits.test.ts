import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const HELLO = { prompt: 'Hello', model: 'mock/echo' }

describe.each(HOSTS)('rate limits under the %s host', host => {
  let gateway: GatewayProcess
  const ask = (headers: Record<string, string> = {}) => post(gateway.url, HELLO, { headers })
  const statuses = async (count: number, headers: Record<string, string>) => {
    const answers = await Promise.all(Array.from({ length: count }, () => ask(headers)))
    return answers.map(({ status }) => status).toSorted()
  }
  const session = async (headers: Record<string, string> = {}) => {
    const answer = await fetch(`${gateway.url}/api/session`, { method: 'POST', headers })
    return answer.headers.get('set-cookie') ?? ''
  }

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      TRUSTED_PROXY_HOPS: '1',
      RATE_LIMIT_GUEST: '7/1m',
      RATE_LIMIT_REST: '9/1m',
    })
  })
  afterAll(() => gateway?.stop())

  it('let five quick anonymous requests through and tell the sixth when to come back', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.1' }
    for (let remaining = 4; remaining >= 0; remaining -= 1) {
      const answer = await ask(headers)
      expect(answer.status).toBe(200)
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'x-ratelimit-limit': '5',
        'x-ratelimit-remaining': String(remaining),
        'x-ratelimit-reset': expect.stringMatching(/^(5\d|60)$/),
        'ratelimit-policy': '"chat";q=5;w=60',
        ratelimit: expect.stringMatching(new RegExp(`^"chat";r=${remaining};t=(5\\d|60)$`)),
      })
    }
    const refused = await ask(headers)
    expect(refused.status).toBe(429)
    const { error } = await json(refused)
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true })
    expect(refused.headers.get('retry-after')).toBe(String(error.retryAfterSeconds))
    expect(error.retryAfterSeconds).toBeGreaterThan(40)
    expect(error.retryAfterSeconds).toBeLessThanOrEqual(60)
  })

  it('let exactly five of forty simultaneous ones through', async () => {
    const found = await statuses(40, { 'x-forwarded-for': '198.51.100.2' })
    expect(found.filter(status => status === 200)).toHaveLength(5)
    expect(found.filter(status => status === 429)).toHaveLength(35)
  })

  it('cost nothing to a request that is not valid', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.3' }
    for (let tries = 0; tries < 8; tries += 1)
      expect((await post(gateway.url, {}, { headers })).status).toBe(400)
    expect((await ask(headers)).headers.get('x-ratelimit-remaining')).toBe('4')
  })

  it('cost nothing to a request for an unknown model, but count one that its provider fails', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.8' }
    for (let tries = 0; tries < 8; tries += 1) {
      const refused = await post(gateway.url, { ...HELLO, model: 'no-such-model' }, { headers })
      expect([refused.status, refused.headers.get('x-ratelimit-remaining')]).toEqual([400, '5'])
    }
    await post(gateway.url, { ...HELLO, model: 'mock/400' }, { headers })
    expect((await ask(headers)).headers.get('x-ratelimit-remaining')).toBe('3')
  })

  it('count a whole IPv6 /64 as one', async () => {
    await ask({ 'x-forwarded-for': '2001:db8:1:2:3::1' })
    const second = await ask({ 'x-forwarded-for': '2001:db8:1:2:ffff::9' })
    const other = await ask({ 'x-forwarded-for': '2001:db8:1:3::1' })
    expect([second, other].map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual(['3', '4'])
  })

  it('believe only what the trusted proxy appended', async () => {
    const first = await ask({ 'x-forwarded-for': '203.0.113.1, 198.51.100.4' })
    const second = await ask({ 'x-forwarded-for': '203.0.113.2, 198.51.100.4' })
    expect([first, second].map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual(['4', '3'])
  })

  it('give a guest more, and all guests of one address a share of it', async () => {
    const from = { 'x-forwarded-for': '198.51.100.5' }
    const cookie = await session(from)
    expect(cookie).toMatch(/^parley_session=[\w.-]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict$/)
    const guest = await ask({ ...from, cookie: cookie.split(';')[0] ?? '' })
    expect(guest.headers.get('x-ratelimit-limit')).toBe('7')
    expect(await gateway.lineOf(guest.headers.get('x-request-id') ?? '')).toMatchObject({ caller: 'guest' })

    const answered: number[] = []
    for (let guests = 0; guests < 5; guests += 1) {
      const own = (await session(from)).split(';')[0] ?? ''
      answered.push(...(await statuses(7, { ...from, cookie: own })))
    }
    expect(answered.filter(status => status === 200)).toHaveLength(4 * 7 - 1)
  })

  it('take no session that is forged, or that another site makes the browser send', async () => {
    const from = { 'x-forwarded-for': '198.51.100.6' }
    const cookie = (await session(from)).split(';')[0] ?? ''
    const forged = await ask({ ...from, cookie: `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}` })
    expect(forged.headers.get('x-ratelimit-limit')).toBe('5')
    const lookFrom = async (site: string) => {
      const headers = { ...from, cookie, 'sec-fetch-site': site }
      const answer = await fetch(`${gateway.url}/api/models`, { headers })
      return (await gateway.lineOf(answer.headers.get('x-request-id') ?? '')).caller
    }
    expect(await lookFrom('same-origin')).toBe('guest')
    expect(await lookFrom('cross-site')).toBe('anonymous')
    expect(await lookFrom('same-site')).toBe('anonymous')
  })

  it('hold for everything else too', async () => {
    const headers = { 'x-forwarded-for': '198.51.100.7' }
    const list = () => fetch(`${gateway.url}/api/models`, { headers })
    expect((await list()).headers.get('ratelimit-policy')).toBe('"api";q=9;w=60')
    for (let tries = 0; tries < 8; tries += 1) await list()
    expect((await list()).status).toBe(429)
    expect((await fetch(`${gateway.url}/api/health`, { headers })).status).toBe(200)
  })
})

describe.each(HOSTS)('the caller’s address under the %s host', host => {
  it('is the socket’s, whatever forwarded headers say, where no proxy is trusted', async () => {
    const gateway = await GatewayProcess.start(host)
    try {
      const remaining: (string | null)[] = []
      for (const claimed of ['198.51.100.1', '198.51.100.2']) {
        const headers = { 'x-forwarded-for': claimed, 'x-real-ip': claimed, forwarded: `for=${claimed}` }
        remaining.push((await post(gateway.url, HELLO, { headers })).headers.get('x-ratelimit-remaining'))
      }
      expect(remaining).toEqual(['4', '3'])
    } finally {
      await gateway.stop()
    }
  })
})

describe('switches', () => {
  it('ENABLE_RATE_LIMITING=false takes limits and their headers away', async () => {
    const gateway = await GatewayProcess.start('native', { ENABLE_RATE_LIMITING: 'false' })
    try {
      for (let tries = 0; tries < 7; tries += 1) {
        const answer = await post(gateway.url, HELLO)
        expect(answer.status).toBe(200)
        expect(answer.headers.has('x-ratelimit-limit')).toBe(false)
      }
    } finally {
      await gateway.stop()
    }
  })

  it('REQUIRE_API_KEY=true turns away callers without a key', async () => {
    const gateway = await GatewayProcess.start('native', { REQUIRE_API_KEY: 'true' })
    try {
      const answer = await post(gateway.url, HELLO)
      expect(answer.status).toBe(401)
      expect((await json(answer)).error.code).toBe('UNAUTHENTICATED')
    } finally {
      await gateway.stop()
    }
  })
})
