import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const MODEL = 'mock/echo'

describe.each(HOSTS)('an API key under the %s host', host => {
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start(host, { ADMIN_TOKEN, RATE_LIMIT_API: '10000/1m' })
  })
  afterAll(() => gateway?.stop())

  const send = async (key: string, path: string, body?: object, method = body ? 'POST' : 'GET') => {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      json: text.startsWith('{') ? JSON.parse(text) : text,
    }
  }
  const make = async (settings: object): Promise<{ id: string; key: string }> => {
    const { status, json } = await send(ADMIN_TOKEN, '/api/admin/keys', { name: 'test', ...settings })
    expect(status).toBe(201)
    return json
  }
  let held = 0
  /** Begins a stream of its own that stays open until its client leaves. */
  const hold = (key: string, more: object = {}) => {
    const controller = new AbortController()
    held += 1
    const messages = [{ role: 'user', content: `Stream ${held}` }]
    const answer = fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ ...more, messages, model: 'mock/stall', stream: true }),
      signal: controller.signal,
    })
    const leave = async () => {
      const requestId = (await answer).headers.get('x-request-id') ?? ''
      controller.abort()
      await gateway.lineOf(requestId)
    }
    return { answer, leave }
  }
  const chat = { messages: [{ role: 'user', content: 'Hi' }] }
  const v1 = (key: string, model = MODEL) => send(key, '/v1/chat/completions', { ...chat, model })
  const native = (key: string, model = MODEL) => send(key, '/api/chat', { prompt: 'Hi', model })

  it('is made, read, changed, rotated and revoked, and shown once', async () => {
    const settings = {
      owner: 'ada',
      scopes: { routes: ['/v1/*'], models: ['mock/*'] },
      limits: { requestsPerMinute: 5, tokensPerMinute: 1_000, concurrency: 2 },
      budgetUsd: { day: 0.000000001, month: 12.5 },
      expiresAt: '2100-01-01T00:00:00.000Z',
    }
    const { key, ...made } = await make(settings)
    expect(made).toMatchObject({ ...settings, name: 'test', role: 'member', state: 'active' })
    const path = `/api/admin/keys/${made.id}`
    const read = await send(ADMIN_TOKEN, path)
    expect(read.json).toEqual(made)
    // The mock models are free.
    expect((await v1(key)).status).toBe(200)
    const patch = {
      limits: { concurrency: null, requestsPerMinute: 7 },
      budgetUsd: null,
      owner: null,
      expiresAt: null,
    }
    const changed = await send(ADMIN_TOKEN, path, patch, 'PATCH')
    expect(changed.json).toEqual({
      ...made,
      owner: null,
      expiresAt: null,
      budgetUsd: {},
      limits: { requestsPerMinute: 7, tokensPerMinute: 1_000 },
      lastUsedAt: expect.any(String),
    })
    const rotated = await send(ADMIN_TOKEN, `${path}/rotate`, { overlapSeconds: 60 })
    expect(rotated.json.id).toBe(made.id)
    expect([(await v1(key)).status, (await v1(rotated.json.key)).status]).toEqual([200, 200])
    const revoked = await send(ADMIN_TOKEN, `${path}/revoke`, undefined, 'POST')
    expect(revoked.json).toMatchObject({ state: 'revoked', revokedAt: expect.any(String) })
    expect([(await v1(key)).status, (await v1(rotated.json.key)).status]).toEqual([401, 401])
    const list = await send(ADMIN_TOKEN, '/api/admin/keys?limit=1')
    expect(list.json).toMatchObject({ keys: [{ id: made.id }] })
    expect(JSON.stringify([read.json, changed.json, list.json])).not.toContain(key.slice(12))
  })

  it('shows when it was last used, in every list', async () => {
    const { key, id } = await make({ owner: 'users' })
    const lists = [
      [ADMIN_TOKEN, '/api/admin/keys'],
      [(await make({ owner: 'users' })).key, '/api/keys'],
    ] as const
    const shown = async () => {
      const pages = await Promise.all(lists.map(([by, path]) => send(by, path)))
      return pages.map(({ json }) => json.keys.find((one: { id: string }) => one.id === id).lastUsedAt)
    }
    expect(await shown()).toEqual([null, null])
    const before = Date.now()
    await v1(key)
    const [byAdmin, byMember] = await shown()
    expect(byMember).toBe(byAdmin)
    expect(Math.abs(Date.parse(byAdmin) - before)).toBeLessThan(5_000)
    expect((await send(key, '/api/keys/self')).json.lastUsedAt >= byAdmin).toBe(true)
    expect((await send(ADMIN_TOKEN, `/api/admin/keys/${id}`)).json.lastUsedAt).toEqual(expect.any(String))
  })

  it('refuses bodies with a wrong or unknown member', async () => {
    for (const [path, settings] of [
      ['colour', { colour: 'red' }],
      ['limits.tokens', { limits: { tokens: 1 } }],
      ['limits.concurrency', { limits: { concurrency: 0 } }],
      ['budgetUsd.day', { budgetUsd: { day: -1 } }],
      ['role', { role: 'root' }],
      ['expiresAt', { expiresAt: '2001-01-01T00:00:00Z' }],
      ['scopes.routes[0]', { scopes: { routes: ['v1'] } }],
    ] as const) {
      const { status, json } = await send(ADMIN_TOKEN, '/api/admin/keys', { name: 'x', ...settings })
      expect([status, json.error.details[0].path]).toEqual([400, path])
    }
  })

  it('is used inside its scopes alone, on every surface', async () => {
    const { key } = await make({ scopes: { routes: ['/v1/*', '/api/models'], models: [MODEL, 'mock'] } })
    expect((await v1(key)).status).toBe(200)
    expect((await native(key)).status).toBe(403)
    expect((await v1(key, 'mock/slow')).status).toBe(403)
    const counted = { ...chat, model: 'mock/slow' }
    expect((await send(key, '/v1/messages/count_tokens', counted)).status).toBe(403)
    expect((await send(key, '/v1/messages', { ...counted, max_tokens: 5 })).status).toBe(403)
    expect((await send(key, '/v1/responses', { model: 'mock/slow', input: 'Hi' })).status).toBe(403)
    expect((await send(key, '/v1/embeddings', { model: 'mock/slow', input: 'Hi' })).status).toBe(403)
    const listed = await send(key, '/v1/models')
    expect(listed.json.data.map(({ id }: { id: string }) => id)).toEqual(['mock'])
    expect((await send(key, '/v1/models/mock/slow')).status).toBe(404)
    const own = await send(key, '/api/models')
    expect(own.json.models.map(({ id }: { id: string }) => id)).toEqual(['mock'])
  })

  it('has no answer of another model from the cache', async () => {
    const wide = await make({ owner: 'cached' })
    const narrow = await make({ owner: 'cached', scopes: { models: ['mock/other'] } })
    const question = { prompt: 'The same for both?', model: MODEL }
    expect((await send(wide.key, '/api/chat', question)).status).toBe(200)
    expect((await send(wide.key, '/api/chat', question)).json.cache).toBe('hit')
    expect((await send(narrow.key, '/api/chat', question)).status).toBe(403)
  })

  it('has requests a minute of its own in place of RATE_LIMIT_KEY', async () => {
    const { key } = await make({ limits: { requestsPerMinute: 3 } })
    const statuses: number[] = []
    for (let time = 0; time < 5; time += 1) statuses.push((await v1(key)).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
    expect((await v1((await make({})).key)).headers.get('x-ratelimit-limit-requests')).toBe('100')
  })

  it('shares its requests a minute and calls in progress with the keys that it makes', async () => {
    const maker = await make({ limits: { requestsPerMinute: 3, concurrency: 2 } })
    const children: string[] = []
    for (const name of ['one', 'two']) children.push((await send(maker.key, '/api/keys', { name })).json.key)
    const streams = children.map(key => hold(key))
    for (const { answer } of streams) expect((await answer).status).toBe(200)
    expect((await v1(maker.key)).status).toBe(429)
    for (const { leave } of streams) await leave()
    expect((await v1(maker.key)).status).toBe(200)
    for (const key of [maker.key, ...children]) expect((await v1(key)).status).toBe(429)
  })

  it('has so many calls in progress and no more, and gets the place of one that its client left', async () => {
    const { key } = await make({ limits: { concurrency: 2 } })
    const [first, second] = [hold(key), hold(key)]
    await Promise.all([first.answer, second.answer])
    const refused = await v1(key)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    await first.leave()
    expect((await v1(key)).status).toBe(200)
    await second.leave()
  })

  it('has so many tokens a minute: reserved, corrected by the answer, and reported in headers', async () => {
    const { key } = await make({ limits: { tokensPerMinute: 500 } })
    const asked = { ...chat, model: MODEL, max_tokens: 400 }
    const first = await send(key, '/v1/chat/completions', asked)
    expect(first.headers.get('x-ratelimit-limit-tokens')).toBe('500')
    expect(Number(first.headers.get('x-ratelimit-remaining-tokens'))).toBeLessThanOrEqual(100)
    const used = first.json.usage.total_tokens
    const second = await send(key, '/v1/chat/completions', { ...asked, temperature: 0.5 })
    expect(second.status).toBe(200)
    expect(Number(second.headers.get('x-ratelimit-remaining-tokens'))).toBeGreaterThanOrEqual(
      500 - 400 - 2 * used - 20,
    )
    const streams = [hold(key, asked), hold(key, asked)]
    for (const { answer } of streams) expect((await answer).status).toBe(200)
    const third = await send(key, '/v1/chat/completions', { ...asked, temperature: 0.1 })
    expect(third.status).toBe(429)
    expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)
    for (const { leave } of streams) await leave()
  })

  describe('of a batch', () => {
    const batchesOf = (key: string) => new BatchClient(gateway.url, { authorization: `Bearer ${key}` })
    const ended = (key: string, id: string) => batchesOf(key).ended(id)
    const submit = async (key: string, models: readonly string[]): Promise<string> =>
      (await batchesOf(key).submit(models.map((model, at) => ({ prompt: `Number ${at}`, model })))).id

    it('lets its items do what it may, and no more', async () => {
      const { key } = await make({ owner: 'batches', scopes: { models: [MODEL] } })
      const job = await ended(key, await submit(key, [MODEL, 'mock/long']))
      expect(job.counts).toMatchObject({ succeeded: 1, failed: 1 })
      expect(job.items[1].error).toMatchObject({ code: 'FORBIDDEN' })
    })

    it('that is revoked ends its items with a clear error', async () => {
      const { key, id } = await make({ owner: 'batches', limits: { concurrency: 1 } })
      const reader = await make({ owner: 'batches' })
      // Its item cannot be answered before the key is revoked: the key's only call is in progress.
      const stream = hold(key)
      expect((await stream.answer).status).toBe(200)
      const job = await submit(key, [MODEL])
      await send(ADMIN_TOKEN, `/api/admin/keys/${id}/revoke`, undefined, 'POST')
      const { items } = await ended(reader.key, job)
      await stream.leave()
      expect(items[0].error).toMatchObject({
        code: 'UNAUTHENTICATED',
        message: 'The API key of this batch is revoked or has expired.',
      })
    })

    it('with one call at a time ends all the same', async () => {
      const { key } = await make({ owner: 'batches', limits: { concurrency: 1 } })
      const job = await ended(key, await submit(key, Array(4).fill(MODEL)))
      expect(job.counts).toMatchObject({ succeeded: 4 })
    })
  })

  it('of a member makes, sees and ends its own keys alone', async () => {
    const mine = await make({ owner: 'members' })
    const other = await make({ owner: 'others' })
    const made = await send(mine.key, '/api/keys', { name: 'child', limits: { concurrency: 1 } })
    expect(made.json).toMatchObject({ owner: 'members', madeBy: mine.id, role: 'member' })
    expect((await send(made.json.key, '/api/keys/self')).json.id).toBe(made.json.id)
    for (const [path, method] of [
      ['', 'GET'],
      ['', 'PATCH'],
      ['/rotate', 'POST'],
      ['/revoke', 'POST'],
    ] as const)
      expect(
        (await send(mine.key, `/api/keys/${other.id}${path}`, method === 'GET' ? undefined : {}, method))
          .status,
      ).toBe(404)
    const listed = await send(mine.key, '/api/keys')
    expect(listed.json.keys.map(({ id }: { id: string }) => id).toSorted()).toEqual(
      [mine.id, made.json.id].toSorted(),
    )
    expect((await send(mine.key, '/api/keys', { name: 'x', owner: 'others' })).status).toBe(403)
    expect((await send(mine.key, '/api/keys', { name: 'x', role: 'admin' })).status).toBe(403)
    await send(mine.key, `/api/keys/${made.json.id}/revoke`, undefined, 'POST')
    expect((await v1(made.json.key)).status).toBe(401)
  })
})
