import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Json, json } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { oneOf, runMany, sizeFrom } from '../support/load.ts'
import { PostgresServer } from '../support/postgres.ts'
import { RedisServer } from '../support/redis.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { makeOneOfEach, missingOf, randomOperation } from '../support/tenant-operations.ts'
import { nonce, Tenant, Tenants } from '../support/tenants.ts'
import { type Behaviour, refuses, says } from '../support/upstream-behaviour.ts'

const ADMIN_TOKEN = 'q7Vt2mXc9LpR4sZk8HwJ1nYb'
const AT_ONCE = 16
/** Faults that are shown, of many alike. */
const SHOWN = 10
const ENOUGH_FOR_ALL = 5_000
const SEED = sizeFrom('TENANTS_SEED', 20_261_128)

/** Repeats the question, with a number that no other call's answer has. */
const echoesUniquely = (): Behaviour => {
  let calls = 0
  return (response, asked, signal) => {
    calls += 1
    const question = asked.messages.at(-1)?.content ?? ''
    return says([`${question} `, nonce(calls)])(response, asked, signal)
  }
}

const keyOf = async (url: string, owner?: string): Promise<Record<string, string>> => {
  const answer = await fetch(`${url}/api/admin/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'tenant', ...(owner && { owner }) }),
  })
  const { key }: Json = await json(answer)
  return { authorization: `Bearer ${key}` }
}
const guestOf = async (url: string): Promise<Record<string, string>> => {
  const answer = await fetch(`${url}/api/session`, { method: 'POST' })
  return { cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' }
}

/** Two owners of each kind, one of them with two keys, another with none but its key. */
const tenantsOf = async (url: string): Promise<readonly Tenant[]> => [
  new Tenant('TENANT-ada', 'key', [await keyOf(url, 'ada'), await keyOf(url, 'ada')]),
  new Tenant('TENANT-bob', 'key', [await keyOf(url, 'bob')]),
  new Tenant('TENANT-lone', 'key', [await keyOf(url)]),
  new Tenant('TENANT-guest-1', 'guest', [await guestOf(url)]),
  new Tenant('TENANT-guest-2', 'guest', [await guestOf(url)]),
  new Tenant('TENANT-at-1', 'anonymous', [{ 'x-forwarded-for': '192.0.2.1' }]),
  new Tenant('TENANT-at-2', 'anonymous', [{ 'x-forwarded-for': '192.0.2.2' }]),
]

describe('seven owners of one gateway', () => {
  let upstream: FakeUpstream
  let postgres: PostgresServer
  let redis: RedisServer
  const gateways: GatewayProcess[] = []

  beforeAll(async () => {
    upstream = await FakeUpstream.start()
    upstream.usually(echoesUniquely()).forModel('failing', refuses(400))
    ;[postgres, redis] = await Promise.all([PostgresServer.start(), RedisServer.start()])
  })
  afterAll(async () => {
    await Promise.all(gateways.map(gateway => gateway.stop()))
    await Promise.all([upstream?.stop(), postgres?.remove(), redis?.kill()])
  })

  const start = async (env: Record<string, string>): Promise<string> => {
    const gateway = await GatewayProcess.start('native', {
      ADMIN_TOKEN,
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      OPENAI_COMPATIBLE_BASE_URL: upstream.baseUrl,
      TRUSTED_PROXY_HOPS: '1',
      ENABLE_RATE_LIMITING: 'false',
      BATCH_CONCURRENCY: '8',
      ...env,
    })
    gateways.push(gateway)
    return gateway.url
  }

  const run = async (urls: readonly string[], operations: number): Promise<void> => {
    const random = seededRandom(SEED)
    const tenants = new Tenants(await tenantsOf(urls[0] ?? ''), urls)
    const step = (who: Tenant) => ({ who, tenants, random })
    try {
      for (const who of tenants.all) await makeOneOfEach(step(who))
      await runMany(operations, AT_ONCE, async () => {
        const who = oneOf(tenants.all, random())
        if (who) await randomOperation(step(who))
      })
      const missing = await Promise.all(tenants.all.map(who => missingOf(step(who))))
      expect.soft(tenants.crossReads.slice(0, SHOWN)).toEqual([])
      expect.soft(tenants.faults.slice(0, SHOWN)).toEqual([])
      expect(missing.flat()).toEqual([])
      expect(tenants.answersSeen).toBeGreaterThan(operations / 20)
      // Each operation has been tried at one's own, at another's, and at an unknown id.
      if (operations >= ENOUGH_FOR_ALL)
        for (const [name, { own, other, unknown }] of tenants.counts)
          expect(Math.min(own, other, unknown), name).toBeGreaterThan(0)
    } finally {
      await tenants.close()
    }
  }

  const most = sizeFrom('TENANT_OPERATIONS', 10_000)
  it(`read nothing of each other in ${most.toLocaleString('en')} random operations, seed ${SEED}: ids of others are as unknown ones`, async () => {
    await run([await start({})], most)
  }, 600_000)

  it(`read nothing of each other in ${(most / 5).toLocaleString('en')} operations over 2 processes on Postgres and Redis, seed ${SEED}`, async () => {
    const env = {
      DATABASE_URL: await postgres.database(),
      REDIS_URL: redis.url,
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-tenants-')),
    }
    await run([await start(env), await start(env)], most / 5)
  }, 600_000)
})
