import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'
import { RedisServer } from '../support/redis.ts'
import { refuses, says } from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'an-admin-token-of-the-tests'
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }

const RULES = `
cache:
  rules:
    - { model: openai/kept-*, ttlSeconds: 3600, tags: [kept] }
    - { model: openai/old-*, ttlSeconds: 1, staleWhileRevalidateSeconds: 600 }
    - { model: openai/safe-*, ttlSeconds: 1, staleIfErrorSeconds: 600 }
    - { model: openai/never-*, enabled: false }
resilience: { retries: { most: 0 } }
`

const rulesFile = (): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'parley-rules-')), 'gateway.yaml')
  writeFileSync(path, RULES)
  return path
}

let names = 0
const newName = (kind: string): string => `${kind}-${++names}`

const past = (): Promise<void> => sleep(1_100)

describe.each(HOSTS)('kept answers by rule under the %s host', host => {
  let upstream: FakeUpstream
  let gateway: GatewayProcess

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    gateway = await GatewayProcess.start(host, {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      GATEWAY_CONFIG: rulesFile(),
      ADMIN_TOKEN,
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await upstream?.stop()
  })

  const ask = async (model: string, headers: Record<string, string> = {}) => {
    const answer = await post(gateway.url, { prompt: 'Again?', model: `openai/${model}` }, { headers })
    return { answer, status: answer.headers.get('cache-status'), body: await json(answer) }
  }
  const admin = (body?: object, headers: Record<string, string> = ADMIN): Promise<Response> =>
    fetch(`${gateway.url}/api/admin/cache`, {
      headers,
      ...(body && { method: 'DELETE', body: JSON.stringify(body) }),
    })

  it('are given past their time while a new one is fetched, and say so', async () => {
    const model = newName('old')
    upstream.forModel(model, says(['first']))
    expect((await ask(model)).body).toMatchObject({ content: 'first', cache: 'miss' })
    await past()
    upstream.forModel(model, says(['second']))
    const stale = await ask(model)
    expect(stale.body).toMatchObject({ content: 'first', cache: 'stale', costUsd: 0 })
    expect(stale.status).toMatch(/^Parley; hit; ttl=-\d+; detail=revalidating$/)
    expect(Number(stale.answer.headers.get('age'))).toBeGreaterThanOrEqual(1)
    await gateway.until(() => upstream.callsFor(model).length === 2, 'the fetching of a new one')
    await gateway.until(async () => (await ask(model)).body.content === 'second', 'the new answer')
  })

  it('stand in for a provider that fails', async () => {
    const model = newName('safe')
    upstream.forModel(model, says(['before']))
    await ask(model)
    await past()
    upstream.forModel(model, refuses(500))
    const { answer, body, status } = await ask(model)
    expect(answer.status).toBe(200)
    expect(body).toMatchObject({ content: 'before', cache: 'stale' })
    expect(status).toContain('fwd=stale')
    expect(status).toContain('detail=PROVIDER_ERROR')
  })

  it('are not kept where a rule says so', async () => {
    const model = newName('never')
    upstream.forModel(model, says(['fresh']))
    await ask(model)
    expect((await ask(model)).body.cache).toBe('bypass')
    expect(upstream.callsFor(model)).toHaveLength(2)
  })

  it('are forgotten by tag, model and pattern, when an admin says so', async () => {
    const model = newName('kept')
    upstream.forModel(model, says(['long']))
    const hit = async () => (await ask(model, { 'x-gateway-cache-tags': 'mine' })).body.cache
    for (const what of [
      { tag: 'mine' },
      { tag: 'kept' },
      { model: `openai/${model}` },
      { pattern: 'openai/kept-*' },
    ]) {
      await hit()
      expect(await hit()).toBe('hit')
      const told = await admin(what)
      expect([told.status, await told.json()]).toEqual([200, { invalidated: what }])
      expect(await hit()).toBe('miss')
    }
    const report = (await (await admin()).json()) as Record<string, number>
    expect(report).toMatchObject({ enabled: true, invalidations: 4 })
    expect(report.hitRate).toBeGreaterThan(0)
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toContain('parley_cache_invalidations_total 4\n')
    expect(metrics).toMatch(/parley_cache_results_total\{result="hit"\} [1-9]/)
  })

  it('are nobody’s to forget who has no token', async () => {
    const { authorization: _, ...none } = ADMIN
    const wrong = { ...ADMIN, authorization: 'Bearer some-other-token-of-nobody' }
    for (const headers of [none, wrong]) expect((await admin({ all: true }, headers)).status).toBe(401)
    for (const body of [{}, { tag: 'a', model: 'b' }, { everything: true }, { tag: 'no spaces' }])
      expect((await admin(body)).status).toBe(400)
  })
})

describe('kept answers of gateways that share a Redis', () => {
  it('are forgotten by all of them when one is told to', async () => {
    const server = await RedisServer.start()
    const upstream = await FakeUpstream.start()
    const env = {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      REDIS_URL: server.url,
      ADMIN_TOKEN,
    }
    const gateways = [await GatewayProcess.start('native', env), await GatewayProcess.start('native', env)]
    try {
      const [one, other] = gateways as [GatewayProcess, GatewayProcess]
      upstream.forModel('shared', says(['both']))
      const ask = async ({ url }: GatewayProcess) =>
        (await json(await post(url, { prompt: 'Shared?', model: 'openai/shared' }))).cache
      expect(await ask(one)).toBe('miss')
      expect(await ask(other)).toBe('hit')
      await fetch(`${one.url}/api/admin/cache`, {
        method: 'DELETE',
        headers: ADMIN,
        body: JSON.stringify({ all: true }),
      })
      await past()
      expect(await ask(other)).toBe('miss')
      expect(upstream.callsFor('shared')).toHaveLength(2)
    } finally {
      for (const gateway of gateways) await gateway.stop()
      await upstream.stop()
      await server.kill()
    }
  })
})
