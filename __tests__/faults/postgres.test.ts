import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { type Json, post } from '../support/chat.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'

/** Longer than the pauses of all retries: that they log nothing more has no signal. */
const LONGER_THAN_ALL_PAUSES_MS = 3_000
const ITEMS = [{ prompt: 'Hello', model: 'mock/echo' }]

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
  // A superuser is refused nothing: the gateways connect as another user.
  await server.do('postgres', 'create role app login')
})
afterAll(() => server.remove())

const healthOf = async (gateway: GatewayProcess): Promise<{ code: number; body: Json }> => {
  const answer = await fetch(`${gateway.url}/api/health`)
  return { code: answer.status, body: await answer.json() }
}

/** Health, once the records have that status; health itself always answers 200. */
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

/** The lines about the records alone: their level and message. */
const linesOf = (gateway: GatewayProcess) =>
  gateway.log
    .filter(({ component, level }) => (component === 'records' || component === 'batch') && level !== 'debug')
    .map(({ level, message }) => `${level} ${message}`)

const LOSS = 'warn database operation failed: batches wait, chats continue'
const RETURN = 'info database operations succeed again'

const expectOneLineEach = async ({ gateway, lines }: Running): Promise<void> => {
  await gateway.until(() => lines().includes(RETURN) || undefined, RETURN)
  expect(lines()).toEqual([LOSS, RETURN])
}

const UNAVAILABLE = [503, 'STORE_UNAVAILABLE']

/** A gateway with a database of its own, that runs the items of its jobs itself or leaves them to workers. */
type Running = Readonly<{
  gateway: GatewayProcess
  client: BatchClient
  database: string
  /** The lines that it has logged since the test began. */
  lines: () => string[]
}>

const start = async (runsItems: boolean): Promise<Running> => {
  const url = new URL(await server.database())
  const database = url.pathname.slice(1)
  url.username = 'app'
  await server.do(database, 'grant all on schema public to app')
  const gateway = await GatewayProcess.start('native', {
    DATABASE_URL: url.href,
    ENABLE_RATE_LIMITING: 'false',
    BATCH_WORKER: String(runsItems),
  })
  return { gateway, client: new BatchClient(gateway.url), database, lines: () => linesOf(gateway) }
}

describe('a Postgres that fails while gateways run, one with BATCH_WORKER=true and one with false', () => {
  let gateways: readonly Running[] = []
  let running: readonly Running[] = []

  beforeAll(async () => {
    gateways = await Promise.all([true, false].map(start))
  })
  beforeEach(async () => {
    // What failed before, such as an operation that timed out at a busy start, is over, and its end is in the log.
    await Promise.all(
      gateways.map(async ({ gateway, lines }) => {
        await untilRecordsAre(gateway, 'healthy')
        await gateway.until(() => lines().at(-1) !== LOSS || undefined, RETURN)
      }),
    )
    running = gateways.map(({ lines, ...one }) => {
      const before = lines().length
      return { ...one, lines: () => lines().slice(before) }
    })
    await onEach(async ({ client }) => void (await client.submit(ITEMS)))
  })
  afterAll(() => Promise.all(gateways.map(({ gateway }) => gateway.stop())))

  const onEach = (test: (one: Running) => Promise<void>): Promise<unknown> => Promise.all(running.map(test))
  const submits = ({ client }: Running) => client.post('/jobs', { items: ITEMS })
  const expectRefusal = async (one: Running): Promise<void> => {
    const { told, retryAfter, seconds } = await refusalOf(submits(one))
    expect(told).toEqual(UNAVAILABLE)
    expect(retryAfter).toBeGreaterThan(0)
    expect(seconds).toBeLessThan(5.5)
  }
  const expectReturn = async (one: Running): Promise<void> => {
    await untilRecordsAre(one.gateway, 'healthy')
    expect((await submits(one)).status).toBe(202)
    await expectOneLineEach(one)
  }

  /** What holds of every loss: a 503, a degraded health, chats, one line when it begins and one when it ends. */
  const expectLossAndReturn = async (lose: () => unknown, bringBack: () => unknown): Promise<void> => {
    await lose()
    await onEach(async one => {
      expect((await untilRecordsAre(one.gateway, 'degraded')).status).toBe('degraded')
      await expectRefusal(one)
      await expectChats(one.gateway)
    })
    await sleep(LONGER_THAN_ALL_PAUSES_MS)
    await bringBack()
    await onEach(expectReturn)
  }

  it('that becomes read-only (25006) is STORE_UNAVAILABLE and degraded, also where nothing is submitted', () =>
    expectLossAndReturn(
      async () => {
        await server.do('postgres', 'alter system set default_transaction_read_only = on')
        await server.do('postgres', 'select pg_reload_conf()')
      },
      async () => {
        await server.do('postgres', 'alter system reset default_transaction_read_only')
        await server.do('postgres', 'select pg_reload_conf()')
      },
    ))

  it('that freezes holds a POST for 5 s at most, then 503 with Retry-After', async () => {
    server.freeze()
    try {
      await onEach(async one => {
        await Promise.all(Array.from({ length: 20 }, () => expectRefusal(one)))
        expect((await healthOf(one.gateway)).body.status).toBe('degraded')
        await expectChats(one.gateway)
      })
    } finally {
      server.thaw()
    }
    await onEach(expectReturn)
  })

  it.each([
    [
      'takes our privileges away (42501)',
      'alter table batch_workers owner to parley; alter table batch_jobs owner to parley',
      'alter table batch_workers owner to app; alter table batch_jobs owner to app',
    ],
    [
      'has lost its tables (42P01)',
      'alter schema public rename to hidden',
      'alter schema hidden rename to public',
    ],
    [
      'refuses our user (28000)',
      `alter role app nologin; select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`,
      'alter role app login',
    ],
  ])('that %s is unavailable until that is undone', (_, lose, undo) => {
    const onDatabases = (statement: string) => async () => {
      for (const { database } of running) await server.do(database, statement)
    }
    return expectLossAndReturn(onDatabases(lose), onDatabases(undo))
  })
})
