import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '#lib/clock.ts'
import { RecordsUnusable } from '#lib/storage/records/fault.ts'
import { openRecords } from '#lib/storage/records/open.ts'
import { assertVersion } from '#lib/storage/records/sqlite/file.ts'
import { BatchClient } from '../support/batch.ts'
import { GatewayProcess, ROOT } from '../support/gateway.ts'
import { slowness } from '../support/machine-speed.ts'
import { PostgresServer } from '../support/postgres.ts'

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'parley-records-'))
const open = (dataDir: string) => openRecords({ dataDir }, systemClock)

/** A database with enough in it to have many pages. */
const filled = async (): Promise<string> => {
  const dataDir = newDirectory()
  const records = await open(dataDir)
  const row = {
    owner: 'guest ada',
    name: 'x'.repeat(2_000),
    priority: 'normal',
    state: 'completed',
    rank: 1,
    created_at: 1,
    total: 0,
    queued: 0,
    running: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    cost_pico: 0,
    unpriced: 0,
    webhook_attempts: 0,
  }
  await records.write(async db => {
    for (let at = 0; at < 200; at += 1)
      await db
        .insertInto('batch_jobs')
        .values({ ...row, id: `batch_${at}` })
        .execute()
  })
  await records.close()
  return dataDir
}

const fileIn = (dataDir: string): string => join(dataDir, 'parley.db')

const refusalOf = async (dataDir: string): Promise<string> => {
  const outcome = await open(dataDir).catch(error => error)
  expect(outcome).toBeInstanceOf(RecordsUnusable)
  expect(outcome.message).toContain(fileIn(dataDir))
  return outcome.message
}

describe('F23: records in a file', () => {
  it('that is damaged are refused, and stay as they are', async () => {
    const dataDir = await filled()
    const file = openSync(fileIn(dataDir), 'r+')
    const { size } = statSync(fileIn(dataDir))
    for (let at = 8_192; at < size - 1_024; at += 16_384)
      writeSync(file, Buffer.alloc(1_024, 0xa5), 0, 1_024, at)
    const before = readFileSync(fileIn(dataDir))
    expect(await refusalOf(dataDir)).toMatch(/is damaged.*backup/)
    expect(readFileSync(fileIn(dataDir)).equals(before)).toBe(true)
  })

  it('that is no database are refused, and stay as they are', async () => {
    const dataDir = newDirectory()
    writeFileSync(fileIn(dataDir), 'a shopping list, and nothing else\n'.repeat(100))
    const before = readFileSync(fileIn(dataDir))
    expect(await refusalOf(dataDir)).toContain('is not an SQLite database')
    expect(readFileSync(fileIn(dataDir)).equals(before)).toBe(true)
  })

  it('whose directory cannot be made are refused', async () => {
    const dataDir = join(newDirectory(), 'taken')
    writeFileSync(dataDir, '')
    expect(await refusalOf(dataDir)).toMatch(/cannot be written|cannot be opened/)
  })

  it('that are a directory are refused', async () => {
    const dataDir = newDirectory()
    mkdirSync(fileIn(dataDir))
    expect(await refusalOf(dataDir)).toContain('cannot be opened')
  })

  it('that a newer gateway has written are refused, with all that is in them', async () => {
    const dataDir = await filled()
    const records = await open(dataDir)
    await records.write(db =>
      sql`insert into kysely_migration (name, timestamp) values ('2999-01-01-future', '2999-01-01T00:00:00.000Z')`.execute(
        db,
      ),
    )
    await records.close()
    expect(await refusalOf(dataDir)).toContain('newer version')
  })

  it('can be read by no other user of the machine', async () => {
    const dataDir = newDirectory()
    const records = await open(dataDir)
    expect(statSync(fileIn(dataDir)).mode & 0o077).toBe(0)
    await records.close()
  })

  it('need a SQLite that does not damage them', () => {
    expect(() => assertVersion('3.51.2')).toThrow(/3\.51\.2 can damage it/)
    for (const version of ['3.51.3', '3.52.0', '4.0.0']) expect(() => assertVersion(version)).not.toThrow()
  })

  it('keep the gateway from starting when they cannot be used', async () => {
    const dataDir = newDirectory()
    writeFileSync(fileIn(dataDir), 'no database'.repeat(1_000))
    const gateway = await GatewayProcess.spawn('native', { DATA_DIR: dataDir })
    expect(await gateway.exited()).toBe(1)
    expect(gateway.everything).toContain('is not an SQLite database')
  })
})

/** A process of its own that opens records and then does what it is told; prints what it says. */
const inAnotherProcess = (code: string) =>
  spawn(
    process.execPath,
    [
      '--input-type=module-typescript',
      '--eval',
      `import { systemClock } from './lib/clock.ts'
       import { openRecords } from './lib/storage/records/open.ts'
       import { batchRecords } from './lib/batch/records/records.ts'
       // The clock's timers keep no process alive.
       const alive = setInterval(() => {}, 60_000)
       ${code}
       clearInterval(alive)`,
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] },
  )

const said = async (child: ReturnType<typeof inAnotherProcess>): Promise<string> => {
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  await once(child, 'close')
  return text
}

const ITEM = `{ request: { prompt: 'x', maxTokens: 1, cache: 'default', fallback: true } }`

describe('records that several processes open', () => {
  it('are brought up to date once, by the process that comes first', async () => {
    const dataDir = newDirectory()
    const code = `await openRecords({ dataDir: ${JSON.stringify(dataDir)} }, systemClock); console.log('open')`
    const outcomes = await Promise.all([1, 2, 3, 4].map(() => said(inAnotherProcess(code))))
    expect(outcomes).toEqual(Array.from({ length: 4 }, () => 'open\n'))
  })

  it('give each item to one of them', async () => {
    const dataDir = newDirectory()
    const place = JSON.stringify({ dataDir })
    const submit = `const records = batchRecords(await openRecords(${place}, systemClock))
      await records.submit({ id: 'batch_' + '0'.repeat(32), owner: 'guest a', name: 'n', priority: 'normal', createdAt: 1 },
        Array.from({ length: 200 }, (_, at) => ({ id: String(at), ...${ITEM} })))`
    await said(inAnotherProcess(submit))
    const work = `const records = batchRecords(await openRecords(${place}, systemClock))
      for (;;) {
        const claims = await records.claim({ count: 2, now: 1000, leaseMs: 1000 })
        if (claims.length === 0) break
        for (const claim of claims) {
          const settled = await records.settle(claim, { state: 'failed', fault: { code: 'TIMEOUT', message: '', retryable: true } }, 1000)
          console.log(claim.index + ' ' + settled)
        }
      }`
    const texts = await Promise.all([1, 2, 3].map(() => said(inAnotherProcess(work))))
    const lines = texts.flatMap(text => text.split('\n')).filter(line => line !== '')
    expect(new Set(lines.map(line => line.split(' ')[0])).size).toBe(200)
    expect(lines).toHaveLength(200)
    expect(lines.some(line => line.endsWith('lost'))).toBe(false)
  })

  it('F26: keep what was settled when the process that settled it is killed', async () => {
    const dataDir = newDirectory()
    const child = inAnotherProcess(`
      const records = batchRecords(await openRecords(${JSON.stringify({ dataDir })}, systemClock))
      const job = { id: 'batch_' + '1'.repeat(32), owner: 'guest a', name: 'n', priority: 'normal', createdAt: 1 }
      await records.submit(job, Array.from({ length: 20000 }, (_, at) => ({ id: String(at), ...${ITEM} })))
      for (;;) for (const claim of await records.claim({ count: 5, now: 1000, leaseMs: 1000 })) {
        await records.settle(claim, { state: 'failed', fault: { code: 'TIMEOUT', message: '', retryable: true } }, 1000)
        console.log(claim.index)
      }`)
    const text = said(child)
    let lines = 0
    child.stdout?.on('data', data => {
      lines += String(data).split('\n').length - 1
    })
    await expect.poll(() => lines, { timeout: 60_000 }).toBeGreaterThan(100)
    child.kill('SIGKILL')
    // The last line may have been cut off.
    const told = (await text).split('\n').slice(0, -1).map(Number)
    expect(told.length).toBeGreaterThan(10)
    const records = await open(dataDir)
    const rows = await records.read(db =>
      db.selectFrom('batch_items').select('place').where('state', '=', 'failed').execute(),
    )
    const job = await records.read(db => db.selectFrom('batch_jobs').select('failed').executeTakeFirst())
    await records.close()
    expect(rows.map(({ place }) => place)).toEqual(expect.arrayContaining(told))
    expect(job?.failed).toBe(rows.length)
  })
})

describe('F24: records in a Postgres', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await PostgresServer.start()
  })
  afterAll(() => server.remove())

  it('that is restarted cost a 503 and nothing else; what waits goes on by itself', async () => {
    const gateway = await GatewayProcess.start('native', {
      DATABASE_URL: await server.database(),
      ENABLE_RATE_LIMITING: 'false',
    })
    try {
      const client = new BatchClient(gateway.url)
      const { id } = await client.submit(
        Array.from({ length: 30 }, (_, at) => ({ prompt: `${at}`, model: 'mock/slow' })),
      )
      await server.down()
      const refused = await client.ask('/jobs')
      expect([refused.status, (await refused.json()).error.code]).toEqual([503, 'STORE_UNAVAILABLE'])
      expect(refused.headers.get('retry-after')).not.toBeNull()
      const chat = await fetch(`${gateway.url}/api/chat`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'Hi', model: 'mock/echo' }),
      })
      expect(chat.status).toBe(200)
      const health = async () => (await (await fetch(`${gateway.url}/api/health`)).json()).status
      expect(await health()).toBe('degraded')
      expect((await fetch(`${gateway.url}/api/health/ready`)).status).toBe(200)
      await server.up()
      const job = await client.until(id, ({ state }) => state === 'completed', { withinMs: 200_000 })
      expect(job.counts).toMatchObject({ succeeded: 30, failed: 0 })
      await expect.poll(health, { timeout: 60_000 }).toBe('healthy')
    } finally {
      await gateway.stop()
    }
  })

  it('whose connections are all in use cost later callers a 503 within a moment', async () => {
    const url = await server.database()
    const gateway = await GatewayProcess.start('native', {
      DATABASE_URL: url,
      ENABLE_RATE_LIMITING: 'false',
      BATCH_WORKER: 'false',
    })
    const other = new pg.Client({ connectionString: url })
    try {
      await other.connect()
      await other.query('begin')
      await other.query('lock table batch_jobs in access exclusive mode')
      const client = new BatchClient(gateway.url)
      let refusals = 0
      const asked = Array.from({ length: 30 }, async () => {
        const askedAt = performance.now()
        const { status } = await client.ask('/jobs')
        if (status === 503) refusals += 1
        return { status, ms: performance.now() - askedAt }
      })
      // Ten connections, one of which the health check may have.
      await expect.poll(() => refusals, { timeout: 10_000 }).toBeGreaterThanOrEqual(20)
      await other.query('rollback')
      const answers = await Promise.all(asked)
      const refused = answers.filter(({ status }) => status === 503)
      expect(answers.filter(({ status }) => status === 200).length + refused.length).toBe(30)
      expect(refused.filter(({ ms }) => ms / slowness() > 2_000)).toEqual([])
      expect((await client.ask('/jobs')).status).toBe(200)
    } finally {
      await other.end()
      await gateway.stop()
    }
  })

  it('that refuses us keep the gateway from starting, without showing the password', async () => {
    const url = server.urlOf('nowhere').replace('parley@', 'parley:s3cret-password@')
    const gateway = await GatewayProcess.spawn('native', { DATABASE_URL: url })
    expect(await gateway.exited()).toBe(1)
    expect(gateway.everything).toContain('DATABASE_URL: it cannot be used')
    expect(gateway.everything).not.toContain('s3cret-password')
  })
})
