import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Allowance } from '../support/allowance.ts'
import { BatchClient } from '../support/batch.ts'
import type { Json } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { RedisServer } from '../support/redis.ts'
import { seededRandom } from '../support/seeded-random.ts'
import { says } from '../support/upstream-behaviour.ts'
import { WorkerProcess } from '../support/worker.ts'

/** `SOAK=1` takes minutes instead of seconds: as many items and kills as the catalogue of faults asks for. */
const { ITEMS, KILLS, WITHIN_MS } = process.env.SOAK
  ? { ITEMS: 5_000, KILLS: 100, WITHIN_MS: 900_000 }
  : { ITEMS: 240, KILLS: 6, WITHIN_MS: 240_000 }
const SLOTS = 3
/** When the kills come: in the test's title, so that `KILLS_SEED` repeats a failure. */
const SEED = Number(process.env.KILLS_SEED ?? 1)
/** Answers before the next kill, at most: no batch is done before the last one. */
const MOST_BETWEEN_KILLS = ITEMS / (2 * KILLS)
const USD_EACH = 0.00000405

let postgres: PostgresServer
let redis: RedisServer

beforeAll(async () => {
  postgres = await PostgresServer.start()
  redis = await RedisServer.start()
})
afterAll(async () => {
  await postgres?.remove()
  await redis?.kill()
})

const PLACES: Readonly<Record<string, () => Promise<Record<string, string>>>> = {
  'one worker and SQLite': async () => ({ DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-kills-')) }),
  'three workers, Postgres and Redis': async () => ({
    DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-kills-')),
    DATABASE_URL: await postgres.database(),
    REDIS_URL: redis.url,
  }),
}

// Side by side: a killed worker's items wait for 20 s until their lease has ended.
describe.concurrent.each(Object.keys(PLACES))('F26, F20: a batch with %s', kind => {
  const count = kind.startsWith('three') ? 3 : 1
  const hasRedis = kind.includes('Redis')

  it(`loses no item and counts none twice, however often a worker is killed and Redis emptied (KILLS_SEED=${SEED})`, {
    timeout: WITHIN_MS,
  }, async () => {
    const upstream = await FakeUpstream.start()
    const place = await (PLACES[kind] as () => Promise<Record<string, string>>)()
    const env = {
      ...place,
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_RATE_LIMITING: 'false',
      ENABLE_CACHING: 'false',
      BREAKER_FAILURES: '1000',
    }
    const answers = new Allowance()
    upstream.forModel('gpt-4o-mini', async (...call) => {
      await answers.take()
      await says(['Done.'])(...call)
    })
    const gateway = await GatewayProcess.start('native', { ...env, BATCH_WORKER: 'false' })
    const workers = Array.from({ length: count }, () => new WorkerProcess(env))
    const random = seededRandom(SEED)
    try {
      await Promise.all(workers.map(worker => worker.start()))
      const client = new BatchClient(gateway.url)
      const { id } = await client.submit(
        Array.from({ length: ITEMS }, (_, at) => ({
          id: `item-${at}`,
          prompt: `${at}`,
          model: 'gpt-4o-mini',
        })),
      )
      for (let kill = 0; kill < KILLS; kill += 1) {
        answers.allow(1 + Math.floor(random() * MOST_BETWEEN_KILLS))
        await answers.usedUp()
        const worker = workers[kill % count] as WorkerProcess
        await worker.end('SIGKILL')
        if (hasRedis) await redis.do('FLUSHALL')
        await worker.start()
      }
      const atLastKill = await client.job(id)
      expect(atLastKill.state).toBe('running')
      answers.allow(Number.POSITIVE_INFINITY)
      const job = await client.ended(id, { withinMs: WITHIN_MS })
      expect(job).toMatchObject({ state: 'completed', counts: { total: ITEMS, succeeded: ITEMS, failed: 0 } })
      expect(job.costUsd).toBeCloseTo(ITEMS * USD_EACH, 12)

      const text = await (await client.ask(`/jobs/${id}/results`)).text()
      const results: Json[] = text
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
      expect(results.map(({ id: name }) => name)).toEqual(
        Array.from({ length: ITEMS }, (_, at) => `item-${at}`),
      )
      expect(new Set(results.map(({ content }) => content))).toEqual(new Set(['Done.']))
      // What a kill cut off was asked once more, and nothing else.
      const calls = upstream.calls.length
      expect(calls).toBeGreaterThanOrEqual(ITEMS)
      expect(calls).toBeLessThanOrEqual(ITEMS + KILLS * SLOTS)
    } finally {
      await Promise.all(workers.map(worker => worker.end('SIGKILL')))
      await gateway.stop()
      await upstream.stop()
    }
  })
})

describe.concurrent('a worker that gets a signal to stop', () => {
  it('ends what runs, begins nothing more, and leaves the rest to the next one', async () => {
    const upstream = await FakeUpstream.start()
    const env = {
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-kills-')),
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: upstream.baseUrl,
      ENABLE_CACHING: 'false',
      ENABLE_RATE_LIMITING: 'false',
      SHUTDOWN_GRACE_SECONDS: '10',
    }
    const model = upstream.modelThat(async (...call) => {
      await sleep(300)
      await says(['Late.'])(...call)
    })
    const gateway = await GatewayProcess.start('native', { ...env, BATCH_WORKER: 'false' })
    const worker = new WorkerProcess(env)
    try {
      await worker.start()
      const client = new BatchClient(gateway.url)
      const { id } = await client.submit(
        Array.from({ length: 9 }, (_, at) => ({ prompt: `${at}`, model: `openai/${model}` })),
      )
      await client.until(id, ({ counts }) => counts.running === SLOTS)
      expect(await worker.end('SIGTERM')).toBe(0)
      const { counts } = await client.job(id)
      expect(counts).toMatchObject({ running: 0, failed: 0 })
      expect(counts.succeeded).toBe(upstream.callsFor(model).length)
      expect(counts.queued).toBeGreaterThan(0)
      await worker.start()
      expect(await client.ended(id)).toMatchObject({ counts: { succeeded: 9 } })
      expect(upstream.callsFor(model)).toHaveLength(9)
    } finally {
      await worker.end('SIGKILL')
      await gateway.stop()
      await upstream.stop()
    }
  })
})
