import { createHmac } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Json, json, post } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS, type HostName } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { hangs, neverEnds, refuses, says, sends } from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const SECRET = 'the-secret-of-webhooks'
const AS_ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
/** Seven tokens in and five out of gpt-4o: what the fake upstream's books say of each of its answers. */
const COST_NANO = 7 * 2_500 + 5 * 10_000
const WHOLE_USD = (50 * COST_NANO) / 1e9
const TWO_CALLS_USD = (2 * COST_NANO) / 1e9
const QUESTION = { prompt: 'Hi', model: 'gpt-4o', maxTokens: 5, cache: 'no-store' }

let upstream: FakeUpstream
let postgres: PostgresServer
const running: GatewayProcess[] = []

beforeAll(async () => {
  upstream = await FakeUpstream.start()
  postgres = await PostgresServer.start()
})
afterAll(async () => {
  await upstream.stop()
  await postgres.remove()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(gateway => gateway.stop()))
  upstream.calls.length = 0
})

const start = async (
  env: Record<string, string> = {},
  host: HostName = 'native',
): Promise<GatewayProcess> => {
  const gateway = await GatewayProcess.start(host, {
    OPENAI_API_KEY: 'sk-test',
    OPENAI_BASE_URL: upstream.baseUrl,
    ENABLE_RATE_LIMITING: 'false',
    ADMIN_TOKEN,
    ...env,
  })
  running.push(gateway)
  return gateway
}

const setBudget = async ({ url }: GatewayProcess, body: object, scope = 'all'): Promise<Json> => {
  const answer = await fetch(`${url}/api/admin/budgets/${scope}`, {
    method: 'PUT',
    headers: AS_ADMIN,
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
  return json(answer)
}
const budget = async ({ url }: GatewayProcess, scope = 'all'): Promise<Json> =>
  json(await fetch(`${url}/api/admin/budgets/${scope}`, { headers: AS_ADMIN }))
const dayOf = async (gateway: GatewayProcess): Promise<Json> => (await budget(gateway)).day

type Outcome = Readonly<{ status: number; code: string | undefined; headers: Headers; body: Json }>

const postTo = (url: string, bearer: string, body: object): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

const ask = async ({ url }: GatewayProcess, changes: object = {}): Promise<Outcome> => {
  const answer = await post(url, { ...QUESTION, ...changes })
  const text = await answer.text()
  const body = answer.headers.get('content-type')?.startsWith('text/event-stream') ? {} : JSON.parse(text)
  return { status: answer.status, code: body.error?.code, headers: answer.headers, body }
}

describe.each([
  ['SQLite', 1],
  ['Postgres', 3],
] as const)('a budget for 50 calls, in %s with %i processes', (backend, processes) => {
  it('is never overspent by 500 calls at once: 0 nanodollars over, 0 reservations left', async () => {
    const env = backend === 'Postgres' ? { DATABASE_URL: await postgres.database() } : {}
    const first = await start(env)
    await setBudget(first, { day: WHOLE_USD })
    const others = Array.from({ length: processes - 1 }, () => start(env))
    const gateways = [first, ...(await Promise.all(others))]

    const outcomes = await Promise.all(
      Array.from({ length: 500 }, (_, call) => ask(gateways[call % processes] ?? first)),
    )
    const answered = outcomes.filter(({ status }) => status === 200).length
    const refusals = new Set(outcomes.flatMap(({ status, code }) => (status === 200 ? [] : [code])))
    expect(['RATE_LIMITED', 'QUOTA_EXCEEDED']).toEqual(expect.arrayContaining([...refusals]))
    for (const { code, headers, body } of outcomes) {
      if (code !== 'RATE_LIMITED') continue
      expect(headers.get('retry-after')).toBe('1')
      expect(headers.get('x-should-retry')).not.toBe('false')
      expect(body.error.retryable).toBe(true)
    }
    expect(answered).toBeGreaterThan(0)
    expect(answered).toBeLessThanOrEqual(50)
    expect(upstream.calls).toHaveLength(answered)
    const { spentNanoUsd, reservedNanoUsd } = await dayOf(first)
    expect({ spentNanoUsd, reservedNanoUsd }).toEqual({
      spentNanoUsd: String(answered * COST_NANO),
      reservedNanoUsd: '0',
    })

    // One after the other, over all processes: nothing is only reserved any more, and what is spent is final.
    const later: Outcome[] = []
    while (later.at(-1)?.code !== 'QUOTA_EXCEEDED' && later.length <= 50)
      later.push(await ask(gateways[later.length % processes] ?? first, { stream: later.length % 2 === 0 }))
    expect(later.slice(0, -1).every(({ status }) => status === 200)).toBe(true)
    const last = later.at(-1)
    expect(last).toMatchObject({ status: 429, code: 'QUOTA_EXCEEDED', body: { error: { retryable: false } } })
    expect(last?.headers.get('x-should-retry')).toBe('false')
    expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
    const whole = await dayOf(first)
    expect(whole.reservedNanoUsd).toBe('0')
    expect(Number(whole.spentNanoUsd)).toBe((answered + later.length - 1) * COST_NANO)
    expect(Number(whole.spentNanoUsd)).toBeLessThanOrEqual(50 * COST_NANO)
    expect(answered + later.length - 1).toBeGreaterThanOrEqual(46)
  }, 120_000)
})

describe('a budget', () => {
  it('that is changed binds other processes within five seconds', async () => {
    const env = { DATABASE_URL: await postgres.database() }
    const [one, two] = [await start(env), await start(env)]
    expect((await ask(two)).status).toBe(200)
    await setBudget(one, { day: 0 })
    await expect.poll(async () => (await ask(two)).code, { timeout: 5_000 }).toBe('QUOTA_EXCEEDED')
    await setBudget(one, {})
    await expect.poll(async () => (await ask(two)).status, { timeout: 5_000 }).toBe(200)
  }, 60_000)

  it('gets a killed process’s reservation back, from another one', async () => {
    const env = { DATABASE_URL: await postgres.database() }
    const [one, two] = [await start(env), await start(env)]
    await setBudget(one, { day: 1 })
    upstream.forModel('gpt-4', neverEnds({ paceMs: 20 }))
    const stream = await post(one.url, { ...QUESTION, model: 'gpt-4', stream: true })
    expect(stream.status).toBe(200)
    expect((await dayOf(two)).reservedUsd).toBeGreaterThan(0)
    one.signal('SIGKILL')
    await stream.text().catch(() => {})
    await expect.poll(async () => (await dayOf(two)).reservedUsd, { timeout: 40_000 }).toBe(0)
  }, 90_000)

  it('pays for what an answer had said when its client left, and nothing before it began or where it failed', async () => {
    const gateway = await start()
    await setBudget(gateway, { day: 1 })
    upstream.forModel('gpt-4', refuses(400)).forModel('gpt-4-turbo', hangs)
    upstream.forModel('gpt-4.1', neverEnds({ paceMs: 5 }))
    expect((await ask(gateway, { model: 'gpt-4', fallback: false })).status).toBe(400)

    const before = new AbortController()
    const unanswered = post(
      gateway.url,
      { ...QUESTION, model: 'gpt-4-turbo', fallback: false },
      { signal: before.signal },
    ).catch(() => {})
    await expect.poll(async () => (await dayOf(gateway)).reservedUsd).toBeGreaterThan(0)
    before.abort()
    await unanswered
    await expect.poll(async () => (await dayOf(gateway)).reservedUsd).toBe(0)
    expect((await dayOf(gateway)).spentUsd).toBe(0)

    const during = new AbortController()
    const begun = await post(
      gateway.url,
      { ...QUESTION, model: 'gpt-4.1', stream: true, maxTokens: 1_000 },
      { signal: during.signal },
    )
    await begun.body?.getReader().read()
    during.abort()
    await expect.poll(async () => (await dayOf(gateway)).reservedUsd).toBe(0)
    expect((await dayOf(gateway)).spentUsd).toBeGreaterThan(0)
  }, 60_000)

  it('binds the items of batches and the endpoints beside chat, at what they cost', async () => {
    const gateway = await start()
    await setBudget(gateway, { day: 1 })
    const submit = async (): Promise<Json> => {
      const items = [1, 2, 3].map(number => ({ ...QUESTION, prompt: `Item ${number}` }))
      const answer = await fetch(`${gateway.url}/api/batch/jobs`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ items }),
      })
      const { id } = await json(answer)
      const job = async () => json(await fetch(`${gateway.url}/api/batch/jobs/${id}`))
      await expect.poll(async () => (await job()).endedAt ?? null, { timeout: 20_000 }).not.toBeNull()
      return job()
    }
    await submit()
    expect(await dayOf(gateway)).toMatchObject({
      spentNanoUsd: String(3 * COST_NANO),
      reservedNanoUsd: '0',
    })
    const body = { object: 'list', data: [], usage: { prompt_tokens: 9, total_tokens: 9 } }
    upstream.forModel('text-embedding-3-small', sends([JSON.stringify(body)], { type: 'application/json' }))
    const embed = () =>
      fetch(`${gateway.url}/v1/embeddings`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'text-embedding-3-small', input: 'Hi' }),
      })
    expect((await embed()).status).toBe(200)
    expect(await dayOf(gateway)).toMatchObject({
      spentNanoUsd: String(3 * COST_NANO + 9 * 20),
      reservedNanoUsd: '0',
    })

    await setBudget(gateway, { day: 0 })
    const refused = await embed()
    expect(refused.status).toBe(429)
    expect((await json(refused)).error.code).toBe('insufficient_quota')
    expect(JSON.stringify(await submit())).toContain('QUOTA_EXCEEDED')
  }, 60_000)

  it.each([
    { by: 'its key', method: 'PATCH', path: 'keys/', body: { budgetUsd: { day: TWO_CALLS_USD } } },
    { by: 'its budget', method: 'PUT', path: 'budgets/key:', body: { day: TWO_CALLS_USD } },
  ])(
    'set with $by includes what was spent before: that of the key, and of all',
    async change => {
      const gateway = await start()
      const asAdmin = (method: string, path: string, body: object) =>
        fetch(`${gateway.url}/api/admin/${path}`, {
          method,
          headers: AS_ADMIN,
          body: JSON.stringify(body),
        }).then(json)
      const { id, key } = await asAdmin('POST', 'keys', { name: 'one' })
      const asKey = async () => {
        const answer = await post(gateway.url, QUESTION, { headers: { authorization: `Bearer ${key}` } })
        return [answer.status, (await json(answer)).error?.code]
      }
      for (let call = 0; call < 2; call += 1) expect(await asKey()).toEqual([200, undefined])
      await asAdmin(change.method, `${change.path}${id}`, change.body)
      expect(await asKey()).toEqual([429, 'QUOTA_EXCEEDED'])
      const spentNanoUsd = String(2 * COST_NANO)
      expect((await budget(gateway, `key:${id}`)).day).toMatchObject({ spentNanoUsd, remainingUsd: 0 })
      expect((await setBudget(gateway, { day: 1 })).day.spentNanoUsd).toBe(spentNanoUsd)
      expect((await setBudget(gateway, { month: 1 })).month.spentNanoUsd).toBe(spentNanoUsd)
    },
    60_000,
  )

  it('is reported with each request that reserved of it, as the limits of its key are', async () => {
    const gateway = await start()
    const asAdmin = { method: 'POST', headers: AS_ADMIN }
    const made = await fetch(`${gateway.url}/api/admin/keys`, {
      ...asAdmin,
      body: JSON.stringify({
        name: 'one',
        owner: 'Acme',
        budgetUsd: { day: 1 },
        limits: { tokensPerMinute: 100_000 },
      }),
    })
    const { key } = await json(made)
    const answer = await postTo(`${gateway.url}/api/chat`, key, QUESTION)
    const requestId = answer.headers.get('x-request-id')
    const explained = async () => {
      const headers = { authorization: `Bearer ${key}` }
      return (await fetch(`${gateway.url}/api/requests/${requestId}`, { headers })).json() as Promise<Json>
    }
    await expect.poll(async () => (await explained()).request?.outcome).toBe('ok')
    const { budget: told, limits, request } = await explained()
    expect(told).toEqual({
      of: ['key'],
      day: new Date().toISOString().slice(0, 10),
      reservedUsd: expect.any(Number),
    })
    expect(told.reservedUsd).toBeGreaterThanOrEqual(request.costUsd)
    expect(limits.map(({ name }: Json) => name)).toContain('tokens')
  }, 60_000)

  it('of a key is spent by the keys that it makes too, also by what they spent before it was set', async () => {
    const gateway = await start()
    const send = async (bearer: string, path: string, body: object) =>
      json(await postTo(gateway.url + path, bearer, body))
    const maker = await send(ADMIN_TOKEN, '/api/admin/keys', { name: 'maker' })
    const makeKey = async () => (await send(maker.key, '/api/keys', { name: 'child' })).key
    const codeOf = async (key: string) => (await send(key, '/api/chat', QUESTION)).error?.code
    expect(await codeOf(await makeKey())).toBeUndefined()
    await setBudget(gateway, { day: 3 * TWO_CALLS_USD }, `key:${maker.id}`)
    const children = [await makeKey(), await makeKey()]
    const codes = []
    for (const key of [...children, ...children, ...children]) codes.push(await codeOf(key))
    const answered = 1 + codes.filter(code => code === undefined).length
    expect(answered).toBeGreaterThan(2)
    expect(answered).toBeLessThan(7)
    for (const key of [...children, maker.key]) expect(await codeOf(key)).toBe('QUOTA_EXCEEDED')
    const { spentNanoUsd, reservedNanoUsd } = (await budget(gateway, `key:${maker.id}`)).day
    expect([spentNanoUsd, reservedNanoUsd]).toEqual([String(answered * COST_NANO), '0'])
  }, 60_000)

  it.each([
    ['hosted tools of OpenAI', '/v1/responses', { input: 'Hi', tools: [{ type: 'web_search' }] }],
    [
      'a document elsewhere',
      '/v1/responses',
      {
        input: [
          { role: 'user', content: [{ type: 'input_file', file_url: 'https://documents.example/1.pdf' }] },
        ],
      },
    ],
    [
      'many inputs',
      '/v1/embeddings',
      { model: 'text-embedding-3-large', input: Array(200).fill('word '.repeat(7_000)) },
    ],
    [
      'many prompts',
      '/v1/completions',
      { model: 'gpt-3.5-turbo-instruct', prompt: Array(40).fill('Hi'), max_tokens: 2_000 },
    ],
    [
      'long speech',
      '/v1/audio/speech',
      { model: 'gpt-4o-mini-tts', voice: 'alloy', input: 'word '.repeat(1_000) },
    ],
  ])(
    'does not let five calls at once through that may cost more than it has: %s',
    async (_, path, body) => {
      const gateway = await start()
      await setBudget(gateway, { day: 0.1 })
      const answers = await Promise.all(
        Array.from({ length: 5 }, () =>
          postTo(gateway.url + path, ADMIN_TOKEN, { model: 'gpt-4o', ...body }),
        ),
      )
      expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(429))
      expect(upstream.calls).toEqual([])
    },
    60_000,
  )

  it('refuses a model without a price before it is asked, unless the file allows it', async () => {
    const gateway = await start()
    await setBudget(gateway, { month: 1 })
    const refused = await ask(gateway, { model: 'openai/brand-new' })
    expect(refused).toMatchObject({ status: 403, code: 'FORBIDDEN' })
    expect(upstream.calls).toEqual([])
    const file = join(mkdtempSync(join(tmpdir(), 'parley-budgets-')), 'gateway.json')
    writeFileSync(file, JSON.stringify({ budgets: { unpriced: 'allow', clamp: true } }))
    const allowing = await start({ GATEWAY_CONFIG: file })
    await setBudget(allowing, { month: 1 })
    expect((await ask(allowing, { model: 'openai/brand-new' })).status).toBe(200)

    // With `clamp`, an answer is limited to what the rest of the money pays for, in every format.
    await setBudget(allowing, { month: 0.001 })
    expect((await ask(allowing, { maxTokens: 4_000 })).status).toBe(200)
    const { asked } = upstream.calls.at(-1) ?? {}
    const tokens = asked?.max_completion_tokens ?? asked?.max_tokens ?? 0
    expect(tokens).toBeGreaterThan(50)
    expect(tokens).toBeLessThanOrEqual(100)
    const raw = await fetch(`${allowing.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
    })
    expect(raw.status).toBe(200)
    const passed = JSON.parse(upstream.calls.at(-1)?.body ?? '')
    expect(passed.max_completion_tokens ?? passed.max_tokens).toBeLessThanOrEqual(100)
  }, 60_000)

  it('is not the reason why others get a short answer from the cache: one that had to be shorter is not kept', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'parley-budgets-')), 'gateway.json')
    writeFileSync(file, JSON.stringify({ budgets: { clamp: true } }))
    const gateway = await start({ GATEWAY_CONFIG: file })
    upstream.forModel('gpt-4.1-mini', says(['Cut'], { finish: 'length' }))
    const long = { model: 'gpt-4.1-mini', maxTokens: 4_000, cache: 'default' }
    await setBudget(gateway, { month: 0.001 })
    expect((await ask(gateway, long)).body).toMatchObject({ finishReason: 'length', cache: 'miss' })
    await setBudget(gateway, { month: 1 })
    const caches = [await ask(gateway, long), await ask(gateway, long)].map(({ body }) => body.cache)
    expect(caches).toEqual(['miss', 'hit'])
    expect(upstream.calls).toHaveLength(2)
  }, 60_000)

  it('answers 503 to its callers while the database is away, and none of them reaches a model', async () => {
    const own = await PostgresServer.start()
    try {
      const gateway = await start({ DATABASE_URL: await own.database() })
      await setBudget(gateway, { day: 1 })
      await own.down()
      expect(await ask(gateway)).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE' })
      expect(upstream.calls).toEqual([])
    } finally {
      await own.remove()
    }
  }, 60_000)

  it('gives a notice at 80 % to the log, the metrics and a signed webhook, and no name is in a metric', async () => {
    const received = Promise.withResolvers<Readonly<{ headers: IncomingMessage['headers']; body: string }>>()
    const receiver = createServer(async (request, response) => {
      let body = ''
      for await (const part of request) body += part
      response.end()
      received.resolve({ headers: request.headers, body })
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => receiver.once('listening', resolve))
    const { port } = receiver.address() as AddressInfo
    const gateway = await start({
      BATCH_WEBHOOK_SECRET: SECRET,
      BUDGET_WEBHOOK_URL: `http://127.0.0.1:${port}/notices`,
    })
    await setBudget(gateway, { day: 1 }, encodeURIComponent('owner:Größe & Co/1'))
    expect((await budget(gateway, encodeURIComponent('owner:Größe & Co/1'))).budgetUsd.day).toBe(1)
    await setBudget(gateway, { budgetUsd: { day: 0.001 } })
    for (let calls = 0; calls < 20 && (await ask(gateway)).status === 200; calls += 1);
    const { headers, body } = await received.promise
    receiver.close()
    const [, time, signature] = /^t=(\d+),v1=(\w+)$/.exec(String(headers['x-parley-signature'])) ?? []
    expect(signature).toBe(createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex'))
    expect(JSON.parse(body)).toMatchObject({
      type: 'budget.threshold',
      budget: { scope: 'all', limitUsd: 0.001 },
    })
    await gateway.until(
      () => gateway.everything.includes('most of a budget is spent'),
      'the notice in the log',
    )
    expect(gateway.everything.split('most of a budget is spent')).toHaveLength(2)
    const metrics = await (await fetch(`${gateway.url}/metrics`, { headers: AS_ADMIN })).text()
    expect(metrics).toContain('parley_budget_notices_total{scope="all",period="day"} 1')
    expect(metrics).not.toContain('Größe')
  }, 60_000)
})

describe.each(HOSTS)('the route of budgets, under the %s host', host => {
  it('knows scopes of known kinds, also percent-encoded, and takes amounts', async () => {
    const { url } = await start({}, host)
    const put = (scope: string, body: string) =>
      fetch(`${url}/api/admin/budgets/${scope}`, { method: 'PUT', headers: AS_ADMIN, body })
    expect((await put('everyone', '{}')).status).toBe(404)
    expect((await put('all', '{"day":-1}')).status).toBe(400)
    expect((await put('all', '{"week":1}')).status).toBe(400)
    expect((await fetch(`${url}/api/admin/budgets/all`)).status).toBe(401)
    expect(await (await put('all', '{"day":null,"month":2}')).json()).toMatchObject({
      budgetUsd: { day: null, month: 2 },
      day: { limitUsd: null, remainingUsd: null },
      month: { limitUsd: 2, spentUsd: 0, reservedUsd: 0, remainingUsd: 2 },
    })
    expect((await put('key:key_000000000000000000000000', '{"day":1}')).status).toBe(404)
    const made = await fetch(`${url}/api/admin/keys`, {
      method: 'POST',
      headers: AS_ADMIN,
      body: '{"name":"one","budgetUsd":{"month":3}}',
    })
    const { id } = await made.json()
    expect(
      await (await fetch(`${url}/api/admin/budgets/key:${id}`, { headers: AS_ADMIN })).json(),
    ).toMatchObject({
      budgetUsd: { day: null, month: 3 },
    })
    for (const scope of ['owner:Größe & Co/1', 'owner:100%', `key:${id}`])
      expect(await (await put(encodeURIComponent(scope), '{"day":1}')).json()).toMatchObject({
        scope,
        budgetUsd: { day: 1, month: null },
      })
    const key = await fetch(`${url}/api/admin/keys/${id}`, { headers: AS_ADMIN })
    expect((await key.json()).budgetUsd).toEqual({ day: 1 })
    expect(await (await put(`key:${id}`, '{}')).json()).toMatchObject({
      budgetUsd: { day: null, month: null },
    })
  }, 60_000)
})

it('of a budget without a limit, the ledger says what is spent, also once a limit was removed', async () => {
  const gateway = await start()
  const spent = async () => {
    const { day, month } = await budget(gateway)
    return [day.spentNanoUsd, month.spentNanoUsd]
  }
  const call = async (times: number) => {
    for (let time = 0; time < times; time += 1) expect((await ask(gateway)).status).toBe(200)
  }
  const nano = (calls: number) => [String(calls * COST_NANO), String(calls * COST_NANO)]
  await call(2)
  await expect.poll(spent, { timeout: 5_000 }).toEqual(nano(2))
  await setBudget(gateway, { day: 1 })
  expect(await spent()).toEqual(nano(2))
  await call(1)
  expect(await spent()).toEqual(nano(3))
  await setBudget(gateway, {})
  await call(2)
  await expect.poll(spent, { timeout: 5_000 }).toEqual(nano(5))
}, 60_000)

describe.each(['SQLite', 'Postgres'])('the list of budgets, in %s', backend => {
  const page = async ({ url }: GatewayProcess, query = ''): Promise<Json> => {
    const answer = await fetch(`${url}/api/admin/budgets${query}`, { headers: AS_ADMIN })
    expect(answer.status).toBe(200)
    return json(answer)
  }
  const newKey = async ({ url }: GatewayProcess, body: object): Promise<Json> =>
    json(
      await fetch(`${url}/api/admin/keys`, { method: 'POST', headers: AS_ADMIN, body: JSON.stringify(body) }),
    )

  it('has each with a limit once, page by page, as it is read alone, and none of revoked keys', async () => {
    const gateway = await start(backend === 'Postgres' ? { DATABASE_URL: await postgres.database() } : {})
    expect(await page(gateway)).toEqual({ budgets: [], nextCursor: null })
    const { id, key } = await newKey(gateway, { name: 'one', owner: 'acme', budgetUsd: { month: 3 } })
    const revoked = await newKey(gateway, { name: 'two', budgetUsd: { day: 1 } })
    await newKey(gateway, { name: 'three' })
    await fetch(`${gateway.url}/api/admin/keys/${revoked.id}/revoke`, { method: 'POST', headers: AS_ADMIN })
    await setBudget(gateway, { day: 5 })
    await setBudget(gateway, { month: 9 }, encodeURIComponent('owner:Größe & Co'))
    await setBudget(gateway, { day: 2, month: 4 }, 'owner:acme')
    await setBudget(gateway, { day: 1 }, 'owner:none')
    await setBudget(gateway, {}, 'owner:none')
    const answer = await fetch(`${gateway.url}/api/chat`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify(QUESTION),
    })
    expect(answer.status).toBe(200)

    const scopes = ['all', `key:${id}`, 'owner:Größe & Co', 'owner:acme']
    const whole = await page(gateway)
    expect(whole.nextCursor).toBeNull()
    expect(whole.budgets.map(({ scope }: Json) => scope)).toEqual(scopes)
    for (const one of whole.budgets) expect(one).toEqual(await budget(gateway, encodeURIComponent(one.scope)))
    expect(whole.budgets[3]).toMatchObject({
      budgetUsd: { day: 2, month: 4 },
      day: { limitUsd: 2, spentNanoUsd: String(COST_NANO), reservedNanoUsd: '0', period: expect.any(String) },
    })

    const first = await page(gateway, '?limit=3')
    const second = await page(gateway, `?limit=3&cursor=${first.nextCursor}`)
    expect([...first.budgets, ...second.budgets]).toEqual(whole.budgets)
    expect(second.nextCursor).toBeNull()
  }, 60_000)

  it('is the admin’s, and takes its own cursors alone', async () => {
    const { url } = await start(backend === 'Postgres' ? { DATABASE_URL: await postgres.database() } : {})
    expect((await fetch(`${url}/api/admin/budgets`)).status).toBe(401)
    for (const query of ['?cursor=x', '?cursor=YWxsIQ', '?limit=0', '?limit=201', '?by=scope']) {
      const answer = await fetch(`${url}/api/admin/budgets${query}`, { headers: AS_ADMIN })
      expect(answer.status, query).toBe(400)
    }
  }, 60_000)
})
