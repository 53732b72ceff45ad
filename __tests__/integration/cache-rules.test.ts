import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Json, json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { RedisServer } from '../support/redis.ts'
import { inTurn, refuses, says } from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'an-admin-token-of-some-length'
const AS_ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }

const RULES = {
  cache: {
    ttlSeconds: 600,
    kinds: { evaluation: { ttlSeconds: 1 } },
    rules: [
      { model: 'openai/revalidated', ttlSeconds: 1, staleWhileRevalidateSeconds: 600 },
      { model: 'openai/guarded', ttlSeconds: 1, staleIfErrorSeconds: 600 },
      { model: 'openai/private-*', enabled: false },
      { model: 'openai/labelled', tags: ['team:a'] },
      { model: 'openai/labelled', enabled: false },
      { model: 'openai/intent-*', kind: 'intent-classification' },
    ],
  },
}

const configFile = (): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'parley-cache-')), 'gateway.json')
  writeFileSync(path, JSON.stringify(RULES))
  return path
}

const invalidate = (
  { url }: GatewayProcess,
  what: unknown,
  headers: Record<string, string> = AS_ADMIN,
): Promise<Response> =>
  fetch(`${url}/api/admin/cache`, {
    method: 'DELETE',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(what),
  })

/** Asks, until the answer is what is waited for; an answer of the cache's own is all that changes by itself. */
const until = async (
  { url }: GatewayProcess,
  question: object,
  cache: string,
): Promise<{ headers: Headers; body: Json }> => {
  let last: { headers: Headers; body: Json } | undefined
  const ask = async (): Promise<string> => {
    const answer = await post(url, question)
    last = { headers: answer.headers, body: await json(answer) }
    return last.body.cache
  }
  await expect.poll(ask, { timeout: 30_000, interval: 100 }).toBe(cache)
  return last as { headers: Headers; body: Json }
}

describe.each(HOSTS)('kept answers under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  const startWith = (env: Record<string, string>): Promise<GatewayProcess> =>
    GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      MAX_RETRIES: '0',
      ...env,
    })

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await startWith({ GATEWAY_CONFIG: configFile(), ADMIN_TOKEN })
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const cacheOf = async (question: object, headers = {}): Promise<string> =>
    (await json(await post(gateway.url, question, { headers }))).cache

  it('are given past their time, while a new one is fetched', async () => {
    upstream.forModel('revalidated', inTurn(says(['old']), says(['new'])))
    const question = { prompt: 'Which?', model: 'openai/revalidated' }
    const first = await post(gateway.url, question)
    expect(first.headers.get('cache-status')).toBe('Parley; fwd=miss')
    expect(first.headers.has('age')).toBe(false)
    const { headers, body } = await until(gateway, question, 'stale')
    expect(body).toMatchObject({ content: 'old', costUsd: 0 })
    expect(headers.get('cache-status')).toMatch(/^Parley; hit; ttl=-\d+; detail=revalidating$/)
    expect(Number(headers.get('age'))).toBeGreaterThanOrEqual(1)
    await expect
      .poll(async () => (await json(await post(gateway.url, question))).content, { timeout: 20_000 })
      .toBe('new')
  })

  it('stand in for a provider that fails', async () => {
    upstream.forModel('guarded', inTurn(says(['kept']), refuses(500)))
    const question = { prompt: 'Still there?', model: 'openai/guarded' }
    await post(gateway.url, question)
    const { headers, body } = await until(gateway, question, 'stale')
    expect(body).toMatchObject({ content: 'kept', costUsd: 0 })
    expect(headers.get('cache-status')).toMatch(
      /^Parley; fwd=stale; ttl=-\d+; detail=(PROVIDER_ERROR|MODEL_UNAVAILABLE)$/,
    )
    expect(Number(headers.get('age'))).toBeGreaterThanOrEqual(1)
    const unknown = await post(gateway.url, { ...question, prompt: 'Asked for the first time' })
    expect(unknown.status).toBeGreaterThanOrEqual(502)
  })

  it('are none where the first rule that fits switches them off', async () => {
    upstream.forModel('private-one', says(['secret']))
    const question = { prompt: 'Twice?', model: 'openai/private-one' }
    expect([await cacheOf(question), await cacheOf(question)]).toEqual(['bypass', 'bypass'])
    expect(upstream.callsFor('private-one')).toHaveLength(2)
  })

  it.each([
    ['a tag of the request', { tag: 'doc:42' }],
    ['a tag of the model’s rule', { tag: 'team:a' }],
    ['the model', { model: 'openai/labelled' }],
    ['a pattern', { pattern: 'openai/label*' }],
    ['all', { all: true }],
  ])('are forgotten by %s', async (name, what) => {
    upstream.forModel('labelled', says(['labelled']))
    const question = { prompt: `Forgotten by ${name}`, model: 'openai/labelled' }
    const headers = { 'x-gateway-cache-tags': 'doc:42, other' }
    expect(await cacheOf(question, headers)).toBe('miss')
    expect(await cacheOf(question, headers)).toBe('hit')
    const answer = await invalidate(gateway, what)
    expect(answer.status).toBe(200)
    expect(await json(answer)).toEqual({ invalidated: what })
    expect(await cacheOf(question, headers)).toBe('miss')
  })

  it.each([
    ['/api/chat, by cacheKind', 'chat', { cacheKind: 'generation' }, {}],
    ['/api/chat, by header', 'chat', {}, { 'x-gateway-cache-kind': 'generation' }],
    ['/v1/chat/completions, by header', 'v1', {}, { 'x-gateway-cache-kind': 'generation' }],
    ['any API, by the kind of its rule', 'chat', { model: 'openai/intent-short' }, {}],
  ])('of a kind are invalidated by it: asked over %s', async (name, api, changes, headers) => {
    const model = 'model' in changes ? 'intent-short' : 'kinds'
    const kind = model === 'kinds' ? 'generation' : 'intent-classification'
    upstream.forModel(model, says(['of a kind']))
    const prompt = `Of a kind, over ${name}`
    const ask = async (): Promise<string | null> => {
      const answer =
        api === 'chat'
          ? await post(gateway.url, { prompt, model: 'openai/kinds', ...changes }, { headers })
          : await fetch(`${gateway.url}/v1/chat/completions`, {
              method: 'POST',
              headers: { 'content-type': 'application/json', ...headers },
              body: JSON.stringify({ model: 'openai/kinds', messages: [{ role: 'user', content: prompt }] }),
            })
      expect(answer.status).toBe(200)
      await answer.text()
      return answer.headers.get('x-gateway-cache')
    }
    const byPost = (what: object) =>
      fetch(`${gateway.url}/api/admin/cache/invalidate`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...AS_ADMIN },
        body: JSON.stringify(what),
      })
    expect([await ask(), await ask()]).toEqual(['miss', 'hit'])
    expect((await byPost({ kind: 'tool-result' })).status).toBe(200)
    expect(await ask()).toBe('hit')
    for (const what of [{ kind }, { kind: `${kind.slice(0, 4)}*` }, { tag: kind }]) {
      expect(await json(await byPost(what))).toEqual({ invalidated: what })
      expect([await ask(), await ask()]).toEqual(['miss', 'hit'])
    }
    expect((await invalidate(gateway, { kind })).status).toBe(200)
    expect(await ask()).toBe('miss')
  })

  it('of a kind are repeated for its time in the file', async () => {
    upstream.forModel('kinds', says(['for a second']))
    const question = { prompt: 'For a second?', model: 'openai/kinds', cacheKind: 'evaluation' }
    expect([await cacheOf(question), await cacheOf(question)]).toEqual(['miss', 'hit'])
    await until(gateway, question, 'miss')
  })

  it('are of no other kinds than the four', async () => {
    const names = 'must be one of evaluation, generation, tool-result, intent-classification'
    const headers = { 'x-gateway-cache-kind': 'poetry' }
    const question = { prompt: 'Which kind?', model: 'mock' }
    for (const answer of [
      await post(gateway.url, { ...question, cacheKind: 'poetry' }),
      await post(gateway.url, question, { headers }),
      await invalidate(gateway, { kind: 'poetry' }),
      await invalidate(gateway, { kind: 'poe*' }),
    ]) {
      expect(answer.status).toBe(400)
      expect((await json(answer)).error.message).toContain(names)
    }
  })

  it('stay where something else is forgotten', async () => {
    upstream.forModel('labelled', says(['labelled']))
    const question = { prompt: 'Stays', model: 'openai/labelled' }
    await cacheOf(question)
    expect((await invalidate(gateway, { tag: 'team:b' })).status).toBe(200)
    expect(await cacheOf(question)).toBe('hit')
  })

  it.each([
    ['nothing', {}],
    ['two ways at once', { tag: 'a', model: 'b' }],
    ['a tag with a space', { tag: 'a b' }],
    ['a field that is none', { tags: ['a'] }],
    ['less than all', { all: false }],
  ])('are not forgotten by %s', async (_, what) => {
    const answer = await invalidate(gateway, what)
    expect(answer.status).toBe(400)
    expect((await json(answer)).error.code).toBe('INVALID_INPUT')
  })

  it('take no label that is none', async () => {
    const answer = await post(
      gateway.url,
      { prompt: 'Hi', model: 'mock/echo' },
      { headers: { 'x-gateway-cache-tags': 'fine, not fine' } },
    )
    expect(answer.status).toBe(400)
    expect((await json(answer)).error.details).toMatchObject([{ path: 'x-gateway-cache-tags' }])
  })

  it('are open to the admin alone', async () => {
    upstream.forModel('labelled', says(['labelled']))
    const question = { prompt: 'Mine', model: 'openai/labelled' }
    await cacheOf(question)
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { 'x-api-key': `${ADMIN_TOKEN}.` }]) {
      const refused = await invalidate(gateway, { all: true }, headers as Record<string, string>)
      expect(refused.status).toBe(401)
      expect((await json(refused)).error.code).toBe('UNAUTHENTICATED')
      expect((await fetch(`${gateway.url}/api/admin/cache`, { headers })).status).toBe(401)
    }
    expect(await cacheOf(question)).toBe('hit')
  })

  it('are counted, for the admin and in the metrics', async () => {
    const report = await json(await fetch(`${gateway.url}/api/admin/cache`, { headers: AS_ADMIN }))
    expect(report).toMatchObject({ enabled: true, hitRate: expect.any(Number), bytes: expect.any(Number) })
    for (const name of ['hits', 'misses', 'stale', 'bypassed', 'stores', 'refreshes', 'invalidations'])
      expect(report[name], name).toBeGreaterThan(0)
    const { hits, misses, stale, hitRate } = report
    expect(hitRate).toBeCloseTo((hits + stale) / (hits + misses + stale))

    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toContain(`parley_cache_results_total{result="hit"} ${hits}\n`)
    expect(metrics).toContain(`parley_cache_results_total{result="stale"} ${stale}\n`)
    expect(metrics).toContain(`parley_cache_invalidations_total ${report.invalidations}\n`)
    expect(metrics).toContain(`parley_cache_stores_total ${report.stores}\n`)
    expect(metrics).toMatch(/^parley_cache_entries [1-9]\d*$/m)
    expect(metrics).toMatch(/^parley_cache_bytes [1-9]\d*$/m)
  })

  it('are closed to all callers without ADMIN_TOKEN, and absent when switched off', async () => {
    const closed = await startWith({})
    const off = await startWith({ ADMIN_TOKEN, ENABLE_CACHING: 'false' })
    try {
      const refused = await invalidate(closed, { all: true })
      expect(refused.status).toBe(403)
      expect((await json(refused)).error.code).toBe('FORBIDDEN')
      const conflict = await invalidate(off, { all: true })
      expect(conflict.status).toBe(409)
      expect((await json(conflict)).error.message).toContain('ENABLE_CACHING')
      const report = await json(await fetch(`${off.url}/api/admin/cache`, { headers: AS_ADMIN }))
      expect(report).toMatchObject({ enabled: false, hitRate: null })
    } finally {
      await Promise.all([closed.stop(), off.stop()])
    }
  })
})

describe('kept answers of gateways that share a Redis', () => {
  let server: RedisServer
  let upstream: FakeUpstream
  let gateways: GatewayProcess[] = []

  beforeAll(async () => {
    server = await RedisServer.start()
    upstream = await FakeUpstream.start()
    const env = {
      REDIS_URL: server.url,
      REDIS_TIMEOUT_MS: '30000',
      KEY_PEPPER: 'a pepper that all gateways share',
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ADMIN_TOKEN,
    }
    gateways = await Promise.all(HOSTS.map(host => GatewayProcess.start(host, env)))
  })
  afterAll(async () => {
    await Promise.all(gateways.map(gateway => gateway.stop()))
    await upstream?.stop()
    await server?.kill()
  })

  it('are forgotten by one as soon as the other invalidates them, and stored anew afterwards', async () => {
    const [one, other] = gateways as [GatewayProcess, GatewayProcess]
    const model = upstream.modelThat(inTurn(says(['before']), says(['after'])))
    const question = { prompt: 'Shared?', model: `openai/${model}` }
    const tagged = { headers: { 'x-gateway-cache-tags': 'shared' } }
    expect(await json(await post(one.url, question, tagged))).toMatchObject({ cache: 'miss' })
    await expect
      .poll(async () => await (await fetch(`${one.url}/metrics`)).text(), { timeout: 20_000 })
      .toContain('parley_cache_stores_total 1\n')
    await until(other, question, 'hit')
    expect(upstream.callsFor(model)).toHaveLength(1)

    expect((await invalidate(other, { tag: 'shared' })).status).toBe(200)
    const { body } = await until(one, question, 'miss')
    expect(body.content).toBe('after')
    expect((await until(other, question, 'hit')).body.content).toBe('after')
  })
})
