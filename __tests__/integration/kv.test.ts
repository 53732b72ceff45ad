import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-request.ts'

const MEGABYTE = 1_048_576

describe.each(HOSTS)('/api/kv under the %s server', host => {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-kv-'))
  let gateway: GatewayProcess
  const start = async (): Promise<void> => {
    gateway = await GatewayProcess.start(host, { DATA_DIR: dataDir, ENABLE_RATE_LIMITING: 'false' })
  }
  beforeAll(start)
  afterAll(() => gateway?.stop())

  const send = (method: string, key: string, body?: string, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/api/kv/${key}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body }),
    })
  const guest = async (): Promise<Record<string, string>> => {
    const answer = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
    return { cookie: (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
  }

  it('keeps any JSON as it was spelled, also across a restart', async () => {
    const values = {
      number: '1.0',
      large: '9007199254740993',
      object: '{ "b" : 1e2, "a" : [null, "\\u00fc\\u0000"] }',
      text: '"🎉"',
      nothing: 'null',
      polluting: '{"__proto__":{"x":1},"constructor":2}',
      repeated: '{"a":1,"a":2}',
      deep: '['.repeat(1_000) + ']'.repeat(1_000),
    }
    for (const [key, text] of Object.entries(values)) {
      const first = await send('PUT', key, text)
      expect([first.status, await first.json()]).toEqual([201, { key, bytes: Buffer.byteLength(text) }])
      expect((await send('PUT', key, text)).status).toBe(200)
    }
    await gateway.stop()
    await start()
    for (const [key, text] of Object.entries(values)) {
      const answer = await send('GET', key)
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect([answer.status, await answer.text()]).toEqual([200, text])
    }
    const list = await (await fetch(`${gateway.url}/api/kv?limit=2`)).json()
    const rest = await (await fetch(`${gateway.url}/api/kv?limit=9&cursor=${list.nextCursor}`)).json()
    expect([...list.keys, ...rest.keys]).toEqual(Object.keys(values).toSorted())
    expect(rest.nextCursor).toBeNull()
    expect((await fetch(`${gateway.url}/api/kv?cursor=x!`)).status).toBe(400)
  })

  it('answers 404 for a key without a value, and 204 for one that is deleted', async () => {
    expect((await send('GET', 'gone')).status).toBe(404)
    expect((await send('DELETE', 'gone')).status).toBe(404)
    await send('PUT', 'gone', '1')
    const deleted = await send('DELETE', 'gone')
    expect([deleted.status, await deleted.text()]).toEqual([204, ''])
    expect((await send('GET', 'gone')).status).toBe(404)
  })

  it('takes 1 MB (1,048,576 bytes) and refuses a byte more with 413', async () => {
    const whole = `"${'x'.repeat(MEGABYTE - 2)}"`
    expect((await send('PUT', 'megabyte', whole)).status).toBe(201)
    expect(await (await send('GET', 'megabyte')).text()).toBe(whole)
    expect((await send('PUT', 'megabyte', `"${'x'.repeat(MEGABYTE - 1)}"`)).status).toBe(413)
    expect(await (await send('GET', 'megabyte')).text()).toBe(whole)
    await send('DELETE', 'megabyte')
  })

  it.each(['{"a":', '{"a":1,,"b":2}', ''])('refuses %j, which is no value', async body => {
    expect((await send('PUT', 'bad', body)).status).toBe(400)
  })

  it.each([
    'a%2Fb',
    '..%2Fa',
    '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    '%252e%252e',
    'a%2541',
    'a%00',
    'a%0d%0ab',
    'a%20b',
    'gr%C3%BC%C3%9Fe',
    'a%5Cb',
    'a:b',
    'a@b',
    'x'.repeat(129),
    '...%2f',
  ])('refuses the key %s with 400', async key => {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await sendRaw(gateway.url, {
        method,
        path: `/api/kv/${key}`,
        headers: { 'content-type': 'application/json' },
        ...(method === 'PUT' && { body: '1' }),
      })
      expect([method, answer.status]).toEqual([method, 400])
    }
  })

  it('takes every character of the rule, plain or percent-encoded, for the same key', async () => {
    const key = 'AZaz09._~-'
    expect((await send('PUT', key, '1')).status).toBe(201)
    expect(await (await send('GET', '%41Zaz09%2E_%7e%2D')).text()).toBe('1')
    expect((await send('PUT', 'x'.repeat(128), '1')).status).toBe(201)
    expect((await send('PUT', '...', '1')).status).toBe(201)
  })

  it.each(['.', '..', '%2e', '%2E%2e', '.%2e'])(
    'has no value under %s, which is a dot segment',
    async key => {
      const answer = await sendRaw(gateway.url, {
        method: 'PUT',
        path: `/api/kv/${key}`,
        headers: { 'content-type': 'application/json' },
        body: '1',
      })
      expect([400, 404, 405]).toContain(answer.status)
    },
  )

  it('never gives a value to another caller', async () => {
    const [ada, bob] = [await guest(), await guest()]
    await send('PUT', 'mine', '"ada"', ada)
    await send('PUT', 'mine', '"bob"', bob)
    expect(await (await send('GET', 'mine', undefined, ada)).text()).toBe('"ada"')
    expect((await send('GET', 'mine')).status).toBe(404)
    expect((await send('DELETE', 'mine', undefined, bob)).status).toBe(204)
    expect(await (await send('GET', 'mine', undefined, ada)).text()).toBe('"ada"')
  })

  it('keeps at most 100 keys of a caller without an API key, and says so', async () => {
    const cookie = await guest()
    await Promise.all(Array.from({ length: 100 }, (_, index) => send('PUT', `k${index}`, '1', cookie)))
    const answer = await send('PUT', 'one-more', '1', cookie)
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([429, 'false'])
    expect((await answer.json()).error.code).toBe('QUOTA_EXCEEDED')
    expect(answer.headers.get('retry-after')).toBe('86400')
    expect((await send('PUT', 'k7', '2', cookie)).status).toBe(200)
  })
})

describe.each(HOSTS)('the limit of /api/kv under the %s server', host => {
  it('is 100 a minute, four times that for all guests of one address, and RATE_LIMIT_KV changes it', async () => {
    const gateway = await GatewayProcess.start(host)
    try {
      const statuses = await Promise.all(
        Array.from({ length: 105 }, async () => (await fetch(`${gateway.url}/api/kv`)).status),
      )
      expect(statuses.filter(status => status === 200)).toHaveLength(100)
      const refused = await fetch(`${gateway.url}/api/kv/a`)
      expect([refused.status, refused.headers.get('ratelimit-policy')]).toEqual([429, '"kv";q=100;w=60'])
      expect((await fetch(`${gateway.url}/api/models`)).status).toBe(200)
    } finally {
      await gateway.stop()
    }
    const shared = await GatewayProcess.start(host, { RATE_LIMIT_KV: '2/1m' })
    try {
      const statuses: number[] = []
      for (let guests = 0; guests < 10; guests += 1) {
        const answer = await fetch(`${shared.url}/api/session`, { method: 'POST' })
        const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
        statuses.push((await fetch(`${shared.url}/api/kv`, { headers: { cookie } })).status)
      }
      expect(statuses).toEqual([...Array(8).fill(200), 429, 429])
    } finally {
      await shared.stop()
    }
    const strict = await GatewayProcess.start(host, { RATE_LIMIT_KV: '1/1m' })
    try {
      expect((await fetch(`${strict.url}/api/kv`)).status).toBe(200)
      expect((await fetch(`${strict.url}/api/kv`)).status).toBe(429)
    } finally {
      await strict.stop()
    }
  })
})
