import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { sendBytes, sendRaw } from '../support/raw-request.ts'

const ALLOWED = 'https://app.example.com'
const CROSS = { 'sec-fetch-site': 'cross-site', origin: 'https://attacker.example' }
const JSON_BODY = { 'content-type': 'application/json' }
const PAGES = ['/', '/batch', '/nowhere']

const FORM = {
  headers: { 'content-type': 'multipart/form-data; boundary=x' },
  body:
    '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n' +
    'content-type: text/plain\r\n\r\nHello\r\n--x--\r\n',
}

const CHAT = ['POST', '/api/chat', '{"prompt":"Hi","model":"mock/echo"}'] as const

/** Every route that changes something; bodies are such as to be taken, were the caller not refused. */
const CHANGES: readonly (readonly [string, string, string?])[] = [
  CHAT,
  ['POST', '/api/chat/none/stop'],
  ['POST', '/api/session'],
  ['POST', '/api/batch/jobs', '{"items":[{"prompt":"Hi","model":"mock/echo"}]}'],
  ['PATCH', '/api/batch/jobs/none', '{"priority":"high"}'],
  ['DELETE', '/api/batch/jobs/none'],
  ['POST', '/api/batch/jobs/none/cancel'],
  ['POST', '/api/batch/jobs/none/retry'],
  ['DELETE', '/api/admin/cache', '{}'],
]

describe.each(HOSTS)('3: who may reach the gateway from where, under the %s host', host => {
  let gateway: GatewayProcess
  const send = (request: Parameters<typeof sendRaw>[1]) => sendRaw(gateway.url, request)
  const jobs = async (): Promise<unknown[]> => (await send({ path: '/api/batch/jobs' })).json.jobs

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      ALLOWED_ORIGINS: ALLOWED,
      ADMIN_TOKEN: 'an admin token'.replaceAll(' ', '-').padEnd(20, '0'),
      ENABLE_CONSOLE: 'true',
      ENABLE_RATE_LIMITING: 'false',
    })
  })
  afterAll(() => gateway?.stop())

  const forbidden = { status: 403, json: { error: { code: 'FORBIDDEN' } } }

  describe('a page of another site', () => {
    it.each([...CHANGES])(
      'is refused before anything else is looked at: %s %s',
      async (method = '', path = '', body) => {
        for (const headers of [
          CROSS,
          { 'sec-fetch-site': 'same-site', origin: 'http://localhost:1' },
          { 'sec-fetch-site': 'cross-site' },
          { origin: 'https://attacker.example' },
          { origin: 'null' },
          { ...CROSS, cookie: 'parley_session=x' },
        ])
          for (const contentType of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
            const sent: Record<string, string> = { 'content-type': contentType, ...headers }
            const answer = await send({ method, path, headers: sent, ...(body && { body }) })
            expect(answer).toMatchObject(forbidden)
            expect(answer.json.error.message).toContain('ALLOWED_ORIGINS')
            expect(answer.headers['set-cookie']).toBeUndefined()
          }
        expect(await jobs()).toEqual([])
      },
    )

    it('makes no job by an upload without CORS, whatever its origin says', async () => {
      for (const headers of [CROSS, { origin: 'null' }, { ...CROSS, 'sec-fetch-mode': 'no-cors' }])
        expect(
          await send({
            method: 'POST',
            path: '/api/batch/upload',
            body: FORM.body,
            headers: { ...FORM.headers, ...headers },
          }),
        ).toMatchObject(forbidden)
      expect(await jobs()).toEqual([])
    })

    it('is refused before its body has come', async () => {
      const answer = await sendBytes(
        gateway.url,
        'POST /api/chat HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: cross-site\r\n' +
          'content-type: application/json\r\ncontent-length: 500000\r\nconnection: close\r\n\r\n',
      )
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
    })

    it('may read no answer, and gets no CORS headers', async () => {
      const answer = await send({ path: '/api/models', headers: CROSS })
      expect(answer.status).toBe(200)
      expect(answer.headers['cross-origin-resource-policy']).toBe('same-origin')
      expect(answer.headers['access-control-allow-origin']).toBeUndefined()
      expect((await send({ method: 'OPTIONS', path: '/api/chat', headers: CROSS })).status).toBe(204)
    })

    it.each<[string, Record<string, string>, number]>([
      ['is answered where its origin is allowed', { 'sec-fetch-site': 'cross-site', origin: ALLOWED }, 200],
      ['is judged by its key where it has one', { ...CROSS, authorization: 'Bearer key' }, 401],
      ['is judged by its key in x-api-key', { ...CROSS, 'x-api-key': 'key' }, 401],
      ['is judged by its key in api-key', { ...CROSS, 'api-key': 'key' }, 401],
    ])('%s', async (_, headers, status) => {
      const [method, path, body] = CHAT
      const answer = await send({ method, path, body, headers: { ...JSON_BODY, ...headers } })
      expect(answer.status).toBe(status)
      expect(answer.headers['cross-origin-resource-policy']).toBe(status === 200 ? undefined : 'same-origin')
    })

    it('gets no session even where its origin is allowed, which would replace the user’s', async () => {
      const headers = { 'sec-fetch-site': 'cross-site', origin: ALLOWED }
      const answer = await send({ method: 'POST', path: '/api/session', headers })
      expect(answer.status).toBe(204)
      expect(answer.headers['set-cookie']).toBeUndefined()
    })
  })

  it('a program, the user, and a page of the gateway’s own are let through', async () => {
    const [method, path, body] = CHAT
    const { port } = new URL(gateway.url)
    for (const headers of [
      {},
      { 'sec-fetch-site': 'none' },
      { 'sec-fetch-site': 'same-origin', origin: gateway.url },
      { origin: gateway.url },
      { origin: `http://localhost:${port}`, host: `LOCALHOST:${port}` },
    ])
      expect((await send({ method, path, body, headers: { ...JSON_BODY, ...headers } })).status).toBe(200)
  })

  it('a guest stays who they are when a session is asked for again', async () => {
    const first = await send({ method: 'POST', path: '/api/session' })
    const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
    expect(cookie).toMatch(/^parley_session=/)
    const again = await send({ method: 'POST', path: '/api/session', headers: { cookie } })
    expect(again.status).toBe(204)
    expect(again.headers['set-cookie']).toBeUndefined()
  })

  describe('DNS rebinding', () => {
    const REBOUND = { host: 'attacker.example:3000', 'sec-fetch-site': 'same-origin' }

    it.each([...PAGES, '/api/models', '/api/batch/jobs', '/api/none', '/metrics'])(
      'is refused at %s, with what to do',
      async path => {
        const answer = await send({ path, headers: REBOUND })
        expect(answer).toMatchObject(forbidden)
        expect(answer.json.error.message).toMatch(/attacker\.example.*ALLOWED_HOSTS/)
      },
    )

    it('is refused where it would change something', async () => {
      const body = '{"items":[{"prompt":"Hi","model":"mock/echo"}]}'
      const headers = { ...JSON_BODY, ...REBOUND, origin: 'http://attacker.example:3000' }
      expect(await send({ method: 'POST', path: '/api/batch/jobs', headers, body })).toMatchObject(forbidden)
      expect(await jobs()).toEqual([])
    })

    it.each([
      'localhost',
      'localhost:1',
      'LOCALHOST.',
      'app.localhost:3000',
      '127.0.0.1',
      '192.168.0.7:3000',
      '[::1]:3000',
    ])('is none under %s', async name => {
      for (const path of ['/', '/api/models'])
        expect((await send({ path, headers: { host: name } })).status).toBe(200)
    })

    it.each(['localhost.attacker.example', 'attacker.example@localhost', 'localhost@attacker.example'])(
      'is not hidden by %s',
      async name => {
        for (const path of ['/', '/api/models'])
          expect((await send({ path, headers: { host: name } })).status).toBe(403)
      },
    )

    it('goes by the authority of an absolute target', async () => {
      const at = (authority: string, name: string) =>
        send({ path: `http://${authority}/api/models?a=b`, headers: { host: name } })
      expect((await at('attacker.example:3000', 'localhost')).status).toBe(403)
      expect((await at('localhost:3000', 'attacker.example')).status).toBe(200)
      const page = { path: 'http://attacker.example/', headers: { host: 'localhost' } }
      expect((await send(page)).status).toBe(403)
    })

    it('is none of a program without a Host header, nor of one with a key', async () => {
      expect(await sendBytes(gateway.url, 'GET /api/models HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /)
      const headers = { ...REBOUND, authorization: 'Bearer key' }
      expect((await send({ path: '/api/models', headers })).status).toBe(401)
    })

    it.each(['/api/health/live', '/api/health/ready', '/api/health'])('does not matter to %s', async path =>
      expect((await send({ path, headers: { host: 'probe.internal' } })).status).toBe(200),
    )
  })

  it('16: Strict-Transport-Security is sent neither over http nor on a client’s word', async () => {
    for (const path of ['/', '/api/models', '/api/none'])
      for (const headers of [{}, { 'x-forwarded-proto': 'https' }, { forwarded: 'for=1.2.3.4;proto=https' }])
        expect((await send({ path, headers })).headers['strict-transport-security']).toBeUndefined()
  })
})

describe.each(HOSTS)('behind a proxy that is trusted, under the %s host', host => {
  let gateway: GatewayProcess
  const send = (request: Parameters<typeof sendRaw>[1]) => sendRaw(gateway.url, request)

  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, {
      TRUSTED_PROXY_HOPS: '1',
      ALLOWED_HOSTS: '127.0.0.1, Chat.example.com:443',
      PUBLIC_URL: 'https://chat.example.com',
      RATE_LIMIT_ANONYMOUS: '2/1m',
      HSTS_PRELOAD: 'true',
      ENABLE_CONSOLE: 'true',
    })
  })
  afterAll(() => gateway?.stop())

  const chat = async (headers: Record<string, string>) => {
    const body = '{"prompt":"Hi","model":"mock/echo"}'
    return send({ method: 'POST', path: '/api/chat', headers: { ...JSON_BODY, ...headers }, body })
  }
  const remaining = async (headers: Record<string, string>) =>
    (await chat(headers)).headers['x-ratelimit-remaining']

  it.each<[string, string, (index: number) => string]>([
    ['x-forwarded-for', 'with a port', index => `198.51.100.${index}:5${index}012`],
    ['x-forwarded-for', 'IPv6 in brackets', index => `[2001:db8:a${index}::1]`],
    ['x-forwarded-for', 'IPv6 in brackets with a port', index => `[2001:db8:b${index}::1]:443`],
    ['x-forwarded-for', 'IPv6 in quotes', index => `"[2001:db8:c${index}::1]:443"`],
    ['x-forwarded-for', 'IPv6 with a zone', index => `fe80::${index}%eth0`],
    ['x-forwarded-for', 'IPv4 in IPv6', index => `::ffff:198.51.101.${index}`],
    ['x-forwarded-for', 'IPv4 behind NAT64', index => `64:ff9b::198.51.102.${index}`],
    ['x-forwarded-for', 'after what the client made up', index => `198.51.103.99, 198.51.103.${index}:80`],
    ['x-forwarded-for', 'after a quote of the client', index => `"x, 198.51.104.${index}`],
    ['forwarded', 'IPv4', index => `for=198.51.105.${index};proto=https`],
    ['forwarded', 'IPv6 with a port', index => `proto=http;For="[2001:db8:d${index}::1]:4711"`],
    ['forwarded', 'after a quote of the client', index => `for=", for="198.51.106.${index}:80";by=_x`],
  ])('14: each is a caller of its own: %s, %s', async (name, _, entryOf) => {
    for (const index of [1, 2, 3, 4]) {
      expect(await remaining({ [name]: entryOf(index) })).toBe('1')
      expect(await remaining({ [name]: entryOf(index) })).toBe('0')
    }
    expect((await chat({ [name]: entryOf(1) })).status).toBe(429)
  })

  it('14: one caller from several ports and in several spellings is one', async () => {
    const spellings = [
      { 'x-forwarded-for': '198.51.107.1:6001' },
      { 'x-forwarded-for': '"198.51.107.1:6002"' },
      { forwarded: 'for="198.51.107.1:6003"' },
    ]
    const answers = await Promise.all(spellings.map(chat))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 429])
  })

  it('14: what is no address counts as the proxy’s own, so that it frees no caller of a limit', async () => {
    const statuses: number[] = []
    for (const entry of ['unknown', '_a', '_b', '198.51.108.1:x', 'spoofed', '"'])
      statuses.push((await chat({ 'x-forwarded-for': entry })).status)
    expect(statuses).toEqual([200, 200, 429, 429, 429, 429])
    expect((await chat({ forwarded: 'for=_hidden' })).status).toBe(429)
    expect((await chat({ 'x-forwarded-for': '198.51.108.2' })).status).toBe(200)
  })

  it('3: the hosts on the list are the only ones, ports aside', async () => {
    for (const name of ['chat.example.com', 'CHAT.EXAMPLE.COM.:8443', '127.0.0.1:1'])
      for (const path of ['/', '/api/models'])
        expect((await send({ path, headers: { host: name } })).status).toBe(200)
    for (const name of ['localhost', 'attacker.example', 'www.chat.example.com', '192.168.0.7'])
      for (const path of ['/', '/api/models'])
        for (const headers of [{ host: name }, { host: name, authorization: 'Bearer key' }])
          expect((await send({ path, headers })).status).toBe(403)
    const probe = { path: '/api/health/live', headers: { host: 'attacker.example' } }
    expect((await send(probe)).status).toBe(200)
  })

  it('3: a page at PUBLIC_URL, or where the proxy says it is, is the gateway’s own', async () => {
    const from = (origin: string, headers: Record<string, string> = {}) =>
      send({ method: 'POST', path: '/api/session', headers: { origin, ...headers } })
    const told = { 'x-forwarded-host': 'other.example', 'x-forwarded-proto': 'https' }
    expect((await from('https://chat.example.com')).status).toBe(204)
    expect((await from('https://other.example', told)).status).toBe(204)
    expect((await from('https://other.example')).status).toBe(403)
    expect((await from('http://other.example', told)).status).toBe(403)
  })

  it('16: over https, Strict-Transport-Security is sent, with preload where asked, and the cookie is Secure', async () => {
    const value = 'max-age=63072000; includeSubDomains; preload'
    const secure = [{ 'x-forwarded-proto': 'https' }, { forwarded: 'for=198.51.100.9;proto=https' }]
    for (const path of ['/', '/nowhere', '/api/models', '/api/none']) {
      for (const headers of secure)
        expect((await send({ path, headers })).headers['strict-transport-security']).toBe(value)
      for (const headers of [{}, { 'x-forwarded-proto': 'http' }])
        expect((await send({ path, headers })).headers['strict-transport-security']).toBeUndefined()
    }
    const session = async (headers: Record<string, string>) =>
      (await send({ method: 'POST', path: '/api/session', headers })).headers['set-cookie']?.[0] ?? ''
    for (const headers of secure) expect(await session(headers)).toMatch(/; SameSite=Strict; Secure$/)
    expect(await session({ 'x-forwarded-proto': 'http' })).toMatch(/; SameSite=Strict$/)
  })
})
