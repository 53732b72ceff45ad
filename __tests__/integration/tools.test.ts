import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeService, json, openMeteoOn } from '../support/fake-service.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

const SECRET = 'a-secret-of-the-operator'
const ADMIN_TOKEN = 'the-token-of-the-admin'

describe.each(HOSTS)('/api/tools under the %s server', host => {
  let service: FakeService
  let gateway: GatewayProcess

  beforeAll(async () => {
    service = openMeteoOn(await FakeService.start()).on('/stock/7', json({ left: 3 }))
    const config = join(mkdtempSync(join(tmpdir(), 'parley-tools-')), 'gateway.json')
    const stock = {
      name: 'stock',
      description: 'How many are left.',
      url: `${service.url}/stock/{item}`,
      parameters: { type: 'object', properties: { item: { type: 'integer' } }, required: ['item'] },
      headers: { 'x-token': `$\{STOCK_TOKEN}` },
    }
    writeFileSync(config, JSON.stringify({ tools: { http: [stock] } }))
    gateway = await GatewayProcess.start(host, {
      GATEWAY_CONFIG: config,
      STOCK_TOKEN: SECRET,
      OPEN_METEO_BASE_URL: service.url,
      FRANKFURTER_BASE_URL: service.url,
      OPEN_ER_API_BASE_URL: service.url,
      TAVILY_API_KEY: 'tvly-0123456789',
      TAVILY_BASE_URL: service.url,
      WIKIPEDIA_BASE_URL: service.url,
      RATE_LIMIT_API: '40/1m',
      ADMIN_TOKEN,
    })
  })
  afterAll(async () => {
    await gateway?.stop()
    await service?.stop()
  })

  const run = async (name: string, input: unknown) => {
    const answer = await fetch(`${gateway.url}/api/tools/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(input),
    })
    return { status: answer.status, headers: answer.headers, body: await answer.json() }
  }

  it('lists the tools with their arguments, services and state', async () => {
    const { tools } = await (await fetch(`${gateway.url}/api/tools`)).json()
    expect(tools.map((tool: { name: string }) => tool.name)).toEqual([
      'weather',
      'currency',
      'news',
      'web_search',
      'places',
      'stock',
    ])
    expect(tools[0]).toMatchObject({
      available: true,
      service: 'open-meteo',
      cacheSeconds: 600,
      parameters: { type: 'object', properties: { location: {} } },
      services: [
        { name: 'openweather', configured: false, missing: 'OPENWEATHER_API_KEY' },
        { name: 'open-meteo', configured: true, circuit: { state: 'closed' } },
      ],
    })
    expect(tools[3]).toMatchObject({ service: 'tavily' })
    expect(JSON.stringify(tools)).not.toContain(SECRET)
    expect(JSON.stringify(tools)).not.toContain('tvly-')
  })

  it('runs one, with its attribution, and serves the same again from the cache', async () => {
    const first = await run('weather', { location: 'Berlin' })
    expect(first.status).toBe(200)
    expect(first.headers.get('ratelimit-policy')).toContain('q=40')
    expect(first.body).toMatchObject({
      tool: 'weather',
      service: 'open-meteo',
      attribution: expect.stringContaining('Open-Meteo'),
      untrusted: true,
      cache: 'miss',
      data: { temperature: 3.4, conditions: 'overcast' },
    })
    const again = await run('weather', { location: 'Berlin' })
    expect(again.body).toEqual({ ...first.body, cache: 'hit' })
    expect(service.of('/v1/forecast').length).toBe(1)
  })

  it('forgets the results of tools when their kind is invalidated', async () => {
    const states: string[] = []
    const ask = async () => states.push((await run('weather', { location: 'Paris' })).body.cache)
    await ask()
    await ask()
    const invalidated = await fetch(`${gateway.url}/api/admin/cache`, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify({ kind: 'tool-*' }),
    })
    expect(invalidated.status).toBe(200)
    await ask()
    expect(states).toEqual(['miss', 'hit', 'miss'])
  })

  it('runs an operator’s HTTP service with its secret, which no answer and no log line shows', async () => {
    expect(await run('stock', { item: 7 })).toMatchObject({ status: 200, body: { data: { left: 3 } } })
    expect(service.of('/stock/7')[0]?.headers['x-token']).toBe(SECRET)
    expect(gateway.everything).not.toContain(SECRET)
  })

  it('answers 502 TOOL_EXECUTION for a service that fails, in plain words', async () => {
    service.on('/v1/latest', json({ stack: 'at line 7' }, 500)).on('/v6/latest/USD', json('nonsense'))
    const { status, body } = await run('currency', { from: 'USD', to: 'EUR' })
    expect(status).toBe(502)
    expect(body).toEqual({
      error: {
        code: 'TOOL_EXECUTION',
        message: 'The service answered in an unexpected form.',
        requestId: expect.any(String),
        retryable: true,
      },
    })
  })

  it.each([
    ['weather', {}, 400, 'INVALID_INPUT'],
    ['stock', { item: 'x' }, 400, 'INVALID_INPUT'],
    ['stock', { item: 8 }, 502, 'TOOL_EXECUTION'],
    ['nothing', {}, 404, 'NOT_FOUND'],
    ['__proto__', {}, 404, 'NOT_FOUND'],
  ])('answers %s %j with %i %s', async (name, input, status, code) => {
    expect(await run(name, input)).toMatchObject({ status, body: { error: { code } } })
  })

  it('counts and logs each run, without its arguments', async () => {
    await run('weather', { location: 'Berlin' })
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text()
    expect(metrics).toMatch(/parley_tool_runs_total\{tool="weather",outcome="hit"\} \d/)
    expect(metrics).toMatch(/parley_tool_run_seconds_count\{tool="weather"\} \d/)
    const line = await gateway.until(
      () => gateway.log.find(({ message, outcome }) => message === 'tool run' && outcome === 'hit'),
      'the log line of a run',
    )
    expect(line).toMatchObject({ component: 'tools', tool: 'weather', service: 'open-meteo' })
    expect(gateway.everything).not.toContain('Berlin')
  })

  it('are limited as everything else: 40 a minute', async () => {
    const statuses: number[] = []
    for (let index = 0; index < 41; index += 1)
      statuses.push((await fetch(`${gateway.url}/api/tools`)).status)
    expect(statuses.at(-1)).toBe(429)
  })
})
