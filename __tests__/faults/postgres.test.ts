import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { type Json, post } from '../support/chat.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'

/** All that tries again has done so meanwhile, and said nothing more: that has no signal. */
const LONGER_THAN_ALL_PAUSES_MS = 3_000
const ITEMS = [{ prompt: 'Hello', model: 'mock/echo' }]

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
  // A superuser is refused nothing: the gateway comes as somebody else.
  await server.do('postgres', 'create role app login')
})
afterAll(() => server.remove())

const healthOf = async (gateway: GatewayProcess): Promise<{ code: number; body: Json }> => {
  const answer = await fetch(`${gateway.url}/api/health`)
  return { code: answer.status, body: await answer.json() }
}

/** Health, once it says that of the records; it never is a failure itself. */
const untilRecordsAre = async (gateway: GatewayProcess, status: string): Promise<Json> => {
  let body: Json
  const look = async () => {
    const health = await healthOf(gateway)
    expect(health.code).toBe(200)
    body = health.body
    return body.services.records.status
  }
  await expect.poll(look, { timeout: 30_000 }).toBe(status)
  return body
}

const expectChats = async (gateway: GatewayProcess): Promise<void> => {
  expect((await post(gateway.url, { prompt: 'Hi', model: 'mock/echo' })).status).toBe(200)
  expect((await fetch(`${gateway.url}/api/health/ready`)).status).toBe(200)
}

const refusalOf = async (asked: Promise<Response>) => {
  const askedAt = performance.now()
  const answer = await asked
  const { error } = await answer.json()
  return {
    told: [answer.status, error?.code],
    retryAfter: Number(answer.headers.get('retry-after')),
    seconds: (performance.now() - askedAt) / 1000,
  }
}

/** The lines about the records alone, by their level and words. */
const linesOf = (gateway: GatewayProcess) =>
  gateway.log
    .filter(({ component, level }) => (component === 'records' || component === 'batch') && level !== 'debug')
    .map(({ level, message }) => `${level} ${message}`)

const expectOneLineEach = async (gateway: GatewayProcess): Promise<void> => {
  const back = 'info database operations succeed again'
  await gateway.until(() => linesOf(gateway).includes(back) || undefined, back)
  expect(linesOf(gateway)).toEqual(['warn database operation failed: batches wait, chats continue', back])
}

const UNAVAILABLE = [503, 'STORE_UNAVAILABLE']

describe.each(['true', 'false'])('a Postgres that fails while the gateway runs (BATCH_WORKER=%s)', worker => {
  let gateway: GatewayProcess
  let client: BatchClient
  let database: string

  const withGateway = async (test: () => Promise<void>): Promise<void> => {
    const url = new URL(await server.database())
    database = url.pathname.slice(1)
    url.username = 'app'
    await server.do(database, 'grant all on schema public to app')
    gateway = await GatewayProcess.start('native', {
      DATABASE_URL: url.href,
      ENABLE_RATE_LIMITING: 'false',
      BATCH_WORKER: worker,
    })
    client = new BatchClient(gateway.url)
    try {
      await client.submit(ITEMS)
      await test()
    } finally {
      await gateway.stop()
    }
  }
  const submits = () => client.post('/jobs', { items: ITEMS })

  /** All that holds of every loss: a 503, a degraded health, chats, one line when it goes and one when it is back. */
  const expectLossAndReturn = async (lose: () => unknown, bringBack: () => unknown): Promise<void> => {
    await lose()
    expect((await untilRecordsAre(gateway, 'degraded')).status).toBe('degraded')
    const { told, retryAfter, seconds } = await refusalOf(submits())
    expect(told).toEqual(UNAVAILABLE)
    expect(retryAfter).toBeGreaterThan(0)
    expect(seconds).toBeLessThan(5.5)
    await expectChats(gateway)
    await sleep(LONGER_THAN_ALL_PAUSES_MS)
    await bringBack()
    await untilRecordsAre(gateway, 'healthy')
    expect((await submits()).status).toBe(202)
    await expectOneLineEach(gateway)
  }

  it('that becomes read-only (25006) is STORE_UNAVAILABLE and degraded, also where nothing is submitted', () =>
    withGateway(() =>
      expectLossAndReturn(
        async () => {
          await server.do('postgres', 'alter system set default_transaction_read_only = on')
          await server.do('postgres', 'select pg_reload_conf()')
        },
        async () => {
          await server.do('postgres', 'alter system reset default_transaction_read_only')
          await server.do('postgres', 'select pg_reload_conf()')
        },
      ),
    ))

  it('that freezes holds a POST for 5 s at most, then 503 with Retry-After', () =>
    withGateway(async () => {
      server.freeze()
      try {
        const refusals = await Promise.all(Array.from({ length: 20 }, () => refusalOf(submits())))
        for (const { told, retryAfter, seconds } of refusals) {
          expect(told).toEqual(UNAVAILABLE)
          expect(retryAfter).toBeGreaterThan(0)
          expect(seconds).toBeLessThan(5.5)
        }
        expect((await healthOf(gateway)).body.status).toBe('degraded')
        await expectChats(gateway)
      } finally {
        server.thaw()
      }
      await untilRecordsAre(gateway, 'healthy')
      expect((await submits()).status).toBe(202)
      await expectOneLineEach(gateway)
    }))

  it.each([
    [
      'takes our privileges away (42501)',
      'alter table batch_workers owner to parley; alter table batch_jobs owner to parley',
      `alter table batch_workers owner to app; alter table batch_jobs owner to app`,
    ],
    [
      'has lost its tables (42P01)',
      'alter schema public rename to hidden',
      'alter schema hidden rename to public',
    ],
    [
      'lets us in no more (28000)',
      `alter role app nologin; select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`,
      'alter role app login',
    ],
  ])('that %s is unavailable until that is undone', (_, lose, undo) =>
    withGateway(() =>
      expectLossAndReturn(
        () => server.do(database, lose),
        () => server.do(database, undo),
      ),
    ),
  )
})
