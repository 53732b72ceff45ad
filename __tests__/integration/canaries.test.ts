import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Canaries } from '../support/canaries.ts'
import { ECHOES, echoesKeys } from '../support/echoing-upstream.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess, HOSTS, type HostName } from '../support/gateway.ts'
import { type Seen, send, sendSecrets } from '../support/leaking-clients.ts'
import { runMany } from '../support/load.ts'
import { PostgresServer } from '../support/postgres.ts'
import { RedisServer } from '../support/redis.ts'
import { seededRandom } from '../support/seeded-random.ts'

const SEED = 20_261_128
const MADE = 100
const SENT = 860
const JSON_TYPE = { 'content-type': 'application/json' }
const LOUD = { LOG_LEVEL: 'trace', ENABLE_RATE_LIMITING: 'false', MAX_RETRIES: '0', BREAKER_FAILURES: '1000' }

/** A server that keeps all that it is sent, and answers with a status. */
const startReceiver = async (status: number) => {
  const received: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const part of request) body += part.toString('latin1')
    received.push(`${request.url} ${JSON.stringify(request.headers)} ${body}`)
    response.writeHead(status).end('{}')
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return { host: `127.0.0.1:${port}`, received, close: () => server.close() }
}

/** A provider’s key, with characters that encodings change. */
const providerKeys = (canaries: Canaries): Record<string, string> => {
  const names = ['OPENAI', 'ANTHROPIC', 'GEMINI', 'MISTRAL', 'GROQ', 'OPENROUTER', 'AZURE_OPENAI', 'OLLAMA']
  const others = ['VLLM', 'OPENAI_COMPATIBLE', 'STABILITY']
  return Object.fromEntries(
    [...names, ...others].map(name => [`${name}_API_KEY`, canaries.plant(`${name}_API_KEY`)]),
  )
}
const PROVIDERS = ['OPENAI', 'ANTHROPIC', 'GEMINI', 'MISTRAL', 'GROQ', 'OPENAI_COMPATIBLE'] as const
const chosen = (canaries: Canaries): Record<string, string> =>
  Object.fromEntries(
    ['ADMIN_TOKEN', 'KEY_PEPPER', 'METRICS_TOKEN', 'BATCH_WEBHOOK_SECRET'].map(name => [
      name,
      canaries.plant(name),
    ]),
  )

/** Every way in which a provider is asked. */
const calls = (model: string): readonly (readonly [path: string, body: object])[] => {
  const messages = [{ role: 'user', content: 'Hi' }]
  return [
    ['/api/chat', { prompt: 'Hi', model, cache: 'no-store', fallback: false }],
    ['/api/chat', { prompt: 'Hi', model, cache: 'no-store', fallback: false, stream: true }],
    ['/v1/chat/completions', { model, messages }],
    ['/v1/chat/completions', { model, messages, stream: true }],
    ['/v1/messages', { model, messages, max_tokens: 9 }],
    ['/v1/messages', { model, messages, max_tokens: 9, stream: true }],
    ['/v1/messages/count_tokens', { model, messages }],
    ['/v1/responses', { model, input: 'Hi' }],
    ['/v1/responses', { model, input: 'Hi', stream: true }],
    ['/v1/completions', { model, prompt: 'Hi' }],
    ['/v1/completions', { model, prompt: 'Hi', stream: true }],
    ['/v1/embeddings', { model, input: 'Hi' }],
    ['/v1/moderations', { model, input: 'Hi' }],
    ['/v1/images/generations', { model, prompt: 'Hi' }],
    ['/v1/audio/speech', { model, input: 'Hi', voice: 'alloy' }],
  ]
}
const MODELS = ['openai/m', 'anthropic/m', 'gemini/m', 'mistral/m', 'groq/m', 'openai-compatible/m']

const EXPORTS = [
  '/metrics',
  '/api/health',
  '/api/admin/usage?by=model,provider,key,owner,day',
  '/api/admin/usage?by=model&format=csv',
  '/api/admin/usage/recommendations',
  '/api/admin/audit',
  '/api/admin/requests?limit=200',
  '/api/admin/keys?limit=200',
  '/api/admin/budgets/all',
  '/api/batch/jobs?limit=200',
  '/api/models',
  '/openapi.json',
]

let upstream: FakeUpstream
const running: GatewayProcess[] = []
beforeAll(async () => {
  upstream = await FakeUpstream.start()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map(gateway => gateway.stop()))
})
afterAll(() => upstream?.stop())

const start = async (env: Record<string, string>, host: HostName = 'native'): Promise<GatewayProcess> => {
  const gateway = await GatewayProcess.start(host, { ...LOUD, ...env })
  running.push(gateway)
  return gateway
}
const findIn = (canaries: Canaries, seen: readonly Seen[]): string[] =>
  seen.flatMap(({ what, text }) => canaries.in(text, what))

/** The verifiers: what they hold is nowhere else. */
const OWN_FILES = ['session-secret', 'key-pepper']

const rowsOf = async (postgres: PostgresServer, database: string): Promise<string> => {
  const tables = await postgres.do(
    database,
    "select table_name from information_schema.tables where table_schema = 'public'",
  )
  const texts = tables.map(async ({ table_name: name }) =>
    (await postgres.do(database, `select t::text from "${name}" t`)).map(row => row.t).join('\n'),
  )
  return (await Promise.all(texts)).join('\n')
}

/** Makes keys and sessions, and has them known as secrets. */
const makeSecrets = async (url: string, canaries: Canaries, admin: Record<string, string>) => {
  const keys: string[] = []
  for (let number = 0; number < MADE / 2; number += 1) {
    const body = JSON.stringify({ name: `key ${number}`, owner: `owner-${number % 5}` })
    const options = { method: 'POST', headers: { ...admin, ...JSON_TYPE }, body }
    const { key } = await (await fetch(`${url}/api/admin/keys`, options)).json()
    canaries.know(key, 'an API key')
    keys.push(key)
    const kind = number % 2 === 0 ? '/api/session' : '/api/admin/session'
    const session = await fetch(url + kind, { method: 'POST', headers: number % 2 === 0 ? {} : admin })
    const [cookie = ''] = (session.headers.get('set-cookie') ?? '').split(';')
    canaries.know(cookie.split('.').at(-1) ?? '', 'the signature of a session')
  }
  return keys
}

/** Calls every endpoint until each failure has repeated the key in each way, some left by their client. */
const callAll = async (url: string, headers: Record<string, string>): Promise<Seen[]> => {
  const all = MODELS.flatMap(model => calls(model))
  const seen: Seen[] = []
  await runMany(Math.max(ECHOES * 3, all.length), 8, async number => {
    // One more for each round, so that every endpoint meets every failure.
    const [path, body] = all[(number + Math.floor(number / all.length)) % all.length] ?? ['', {}]
    const options = { method: 'POST', headers: { ...headers, ...JSON_TYPE }, body: JSON.stringify(body) }
    seen.push(await send(url, path, { ...options, leaves: number % 10 === 0 }))
  })
  return seen
}

const batchesFail = async (url: string, headers: Record<string, string>): Promise<Seen[]> => {
  const items = Array.from({ length: 40 }, () => ({ prompt: 'Hi', model: 'openai/final', fallback: false }))
  const body = JSON.stringify({ items, webhookUrl: 'https://127.0.0.1/hook' })
  const made = await fetch(`${url}/api/batch/jobs`, {
    method: 'POST',
    headers: { ...headers, ...JSON_TYPE },
    body,
  })
  const { id } = await made.json()
  const path = `/api/batch/jobs/${id}`
  await expect
    .poll(async () => (await (await fetch(url + path, { headers })).json()).endedAt ?? null, {
      timeout: 60_000,
    })
    .not.toBeNull()
  const paths = [path, `${path}/results?format=jsonl`, `${path}/results?format=csv`, `${path}/events`]
  return Promise.all(paths.map(one => send(url, one, { headers })))
}

describe.each(HOSTS)('secrets under the %s server', host => {
  it(`of 1,000 planted ones none is in a log, metric, error, export, report or file, through all faults, seed ${SEED}`, async () => {
    const canaries = new Canaries()
    const redis = await RedisServer.start({ password: canaries.plant('the password of Redis') })
    const [sentry, webhooks] = [await startReceiver(200), await startReceiver(500)]
    const directory = mkdtempSync(join(tmpdir(), 'parley-canaries-'))
    const configuration = join(directory, 'gateway.yaml')
    writeFileSync(configuration, 'budgets: { unpriced: allow }\n')
    upstream.usually(echoesKeys()).forModel('final', echoesKeys({ final: true }))
    try {
      const secrets: Record<string, string> = { ...providerKeys(canaries), ...chosen(canaries) }
      const gateway = await start(
        {
          ...secrets,
          ...Object.fromEntries(PROVIDERS.map(name => [`${name}_BASE_URL`, upstream.baseUrl])),
          AZURE_OPENAI_BASE_URL: upstream.baseUrl,
          STABILITY_BASE_URL: upstream.baseUrl,
          REDIS_URL: redis.url,
          SENTRY_DSN: `http://publickey@${sentry.host}/1`,
          BUDGET_WEBHOOK_URL: `http://${webhooks.host}/${canaries.plant('BUDGET_WEBHOOK_URL', { plain: true })}`,
          GATEWAY_CONFIG: configuration,
          DATA_DIR: directory,
        },
        host,
      )
      const { url } = gateway
      const admin = { authorization: `Bearer ${secrets.ADMIN_TOKEN}` }
      const [key = ''] = await makeSecrets(url, canaries, admin)
      const headers = { authorization: `Bearer ${key}` }
      const budget = { method: 'PUT', headers: { ...admin, ...JSON_TYPE }, body: '{"day": 1000}' }
      const seen: Seen[] = [await send(url, '/api/admin/budgets/owner:owner-0', budget)]

      seen.push(...(await callAll(url, headers)), ...(await batchesFail(url, headers)))
      const random = seededRandom(SEED)
      seen.push(...(await sendSecrets(url, canaries, SENT / 2, random, admin)))
      writeFileSync(configuration, `providers: { openai: { apiKey: ${canaries.plant('the file')} } }\n`)
      await gateway.until(() => gateway.everything.includes('is not a setting'), 'the refusal of the file')
      writeFileSync(
        configuration,
        `{"models": "${canaries.plant('the file')}", ${canaries.plant('the file')}`,
      )
      await redis.kill()
      seen.push(...(await sendSecrets(url, canaries, SENT / 2, random, admin)))
      for (const path of EXPORTS) {
        const token = path === '/metrics' ? { authorization: `Bearer ${secrets.METRICS_TOKEN}` } : admin
        seen.push(await send(url, path, { headers: token }))
      }
      expect(canaries.count).toBeGreaterThanOrEqual(1_000 - 20)
      await gateway.stop()

      const inBooks = [...sentry.received, ...webhooks.received].flatMap(text =>
        canaries.in(text, 'a report'),
      )
      const found = [
        ...findIn(canaries, seen),
        ...canaries.in(gateway.everything, 'the log'),
        ...canaries.inFiles(directory, ['gateway.yaml']),
        ...inBooks.filter(one => !one.startsWith('BUDGET_WEBHOOK_URL')),
      ]
      expect(new Set(found)).toEqual(new Set())
      // The search finds what is there: the keys have reached the upstream.
      expect(canaries.in(JSON.stringify(upstream.calls.at(-1)?.headers), 'a call')).not.toEqual([])
    } finally {
      await Promise.all([redis.kill(), sentry.close(), webhooks.close()])
    }
  }, 240_000)
})

describe('secrets', () => {
  it('are in no row of a Postgres, and in no log while it is away and after a SIGKILL', async () => {
    const canaries = new Canaries()
    const postgres = await PostgresServer.start()
    try {
      const database = new URL(await postgres.database())
      database.password = canaries.plant('the password of Postgres')
      upstream.usually(echoesKeys())
      const secrets: Record<string, string> = {
        ...chosen(canaries),
        OPENAI_API_KEY: canaries.plant('OPENAI_API_KEY'),
      }
      const env = { ...secrets, OPENAI_BASE_URL: upstream.baseUrl, DATABASE_URL: database.href }
      const gateway = await start(env)
      const admin = { authorization: `Bearer ${secrets.ADMIN_TOKEN}` }
      const [key = ''] = await makeSecrets(gateway.url, canaries, admin)
      const headers = { authorization: `Bearer ${key}` }
      const seen = await callAll(gateway.url, headers)
      await postgres.down()
      const random = seededRandom(SEED)
      seen.push(...(await sendSecrets(gateway.url, canaries, 30, random, admin)))
      for (const path of EXPORTS) seen.push(await send(gateway.url, path, { headers: admin }))
      await gateway.stop()
      await postgres.up()
      const again = await start(env)
      seen.push(await send(again.url, '/api/admin/usage', { headers: admin }))
      const rows = await rowsOf(postgres, database.pathname.slice(1))
      expect(rows.length).toBeGreaterThan(10_000)
      expect(findIn(canaries, seen)).toEqual([])
      expect(canaries.in(gateway.everything + again.everything, 'the log')).toEqual([])
      expect(canaries.in(rows, 'the database')).toEqual([])
    } finally {
      await postgres.remove()
    }
  }, 120_000)

  it('that the gateway has made itself are in its own file alone', async () => {
    const canaries = new Canaries()
    const directory = mkdtempSync(join(tmpdir(), 'parley-canaries-'))
    const { ADMIN_TOKEN = '' } = chosen(canaries)
    const gateway = await start({ ADMIN_TOKEN, DATA_DIR: directory })
    const admin = { authorization: `Bearer ${ADMIN_TOKEN}` }
    await makeSecrets(gateway.url, canaries, admin)
    for (const encoding of ['latin1', 'base64', 'hex'] as const)
      for (const file of OWN_FILES) canaries.know(readFileSync(join(directory, file), encoding), file)
    await gateway.stop()
    expect(canaries.inFiles(directory, OWN_FILES)).toEqual([])
    expect(canaries.in(gateway.everything, 'the log')).toEqual([])
  })

  it('are not in what a start that fails has to say', async () => {
    const canaries = new Canaries()
    const plant = (name: string) => canaries.plant(name, { plain: true })
    const faulty = {
      OPENAI_BASE_URL: `https://user:${plant('OPENAI_BASE_URL')}@example.com/v1`,
      GROQ_BASE_URL: `https://example.com/v1?key=${plant('GROQ_BASE_URL')}`,
      MISTRAL_BASE_URL: `ftp://user:${plant('MISTRAL_BASE_URL')}@example.com`,
      UPSTASH_REDIS_REST_URL: `redis://default:${plant('UPSTASH_REDIS_REST_URL')}@example.com`,
      PUBLIC_URL: `https://user:${plant('PUBLIC_URL')}@example.com`,
      ALLOWED_ORIGINS: `https://user:${plant('ALLOWED_ORIGINS')}@example.com`,
      ALLOWED_HOSTS: `user:${plant('ALLOWED_HOSTS')}@example.com`,
      DATABASE_URL: `mysql://user:${plant('DATABASE_URL')}@example.com`,
      REDIS_URL: `http://:${plant('REDIS_URL')}@example.com`,
      HTTP_PROXY: `socks://user:${plant('HTTP_PROXY')}@example.com`,
      HTTPS_PROXY: `http://user:%${plant('HTTPS_PROXY')}@example.com`,
      BUDGET_WEBHOOK_URL: `ftp://example.com/${plant('BUDGET_WEBHOOK_URL')}`,
      SENTRY_DSN: plant('SENTRY_DSN'),
      PORT: `sk-${plant('PORT')}`,
      KEY_PEPPER: plant('KEY_PEPPER').slice(0, 20),
      ADMIN_TOKEN: `${plant('ADMIN_TOKEN').slice(0, 11)}\u200b`,
      METRICS_TOKEN: plant('METRICS_TOKEN').slice(0, 11),
      BATCH_WEBHOOK_SECRET: plant('BATCH_WEBHOOK_SECRET').slice(0, 11),
    }
    const gateway = await GatewayProcess.spawn('native', faulty)
    running.push(gateway)
    expect(await gateway.exited()).toBe(1)
    for (const name of Object.keys(faulty)) expect.soft(gateway.everything).toContain(`${name} =`)
    expect(canaries.in(gateway.everything, 'the faults')).toEqual([])
  })
})
