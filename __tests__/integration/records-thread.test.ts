import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Records } from '#lib/storage/records/records.ts'
import { sqliteRecords } from '#lib/storage/records/sqlite.ts'
import { BatchClient } from '../support/batch.ts'
import { CRASH, HANG } from '../support/crashing-records-thread.ts'
import { GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'
import { SkippingClock } from '../support/skipping-clock.ts'

const REPLY_MS = 15_000
const SEVERAL_LOOKS_MS = 4_000
/** How long a thread that was lost is not started again. */
const RESTART_MS = 1_000
const PROGRAM = join(ROOT, '__tests__/support/crashing-records-thread.ts')

let path: string
let records: Records
let lost: Error[]
let clock: SkippingClock

const open = (): Promise<Records> =>
  sqliteRecords(path, clock, { program: PROGRAM, onLost: error => lost.push(error) })

beforeEach(async () => {
  path = join(mkdtempSync(join(tmpdir(), 'parley-thread-')), 'parley.db')
  lost = []
  clock = new SkippingClock()
  records = await open()
})
afterEach(() => records.close())

const addWorker = (id: string) =>
  records.write(db => db.insertInto('batch_workers').values({ id, seen_at: 1 }).execute())
const workers = async (of = records): Promise<string[]> => {
  const rows = await of.read(db => db.selectFrom('batch_workers').select('id').orderBy('id').execute())
  return rows.map(({ id }) => id)
}
const crash = sql`select ${sql.lit(CRASH)}`
const UNAVAILABLE = { code: 'STORE_UNAVAILABLE', retryAfterSeconds: 1 }

/** What becomes of something, and after how long. */
const timed = async (work: Promise<unknown>) => {
  const from = performance.now()
  const outcome = await work.then(
    () => 'done',
    error => error,
  )
  return { outcome, ms: performance.now() - from }
}

describe('the thread that SQLite runs on', () => {
  it('fails all that was asked of it as a lost store when it ends, and says so once', async () => {
    const asked = [records.read(db => crash.execute(db)), workers(), addWorker('a')]
    for (const outcome of await Promise.allSettled(asked))
      expect(outcome).toMatchObject({ status: 'rejected', reason: UNAVAILABLE })
    expect(lost.map(({ message }) => message)).toEqual(['the thread has crashed'])
  })

  it('is given texts of any length, and gives them back, each in its own row', async () => {
    const names = ['🦜 and слово '.repeat(400_000), 'short', 'plain '.repeat(1_000_000)]
    await records.write(async db => {
      for (const [at, id] of names.entries())
        await db.insertInto('batch_workers').values({ id, seen_at: at }).execute()
    })
    const rows = await records.read(db =>
      db.selectFrom('batch_workers').select(['id', 'seen_at']).orderBy('seen_at').execute(),
    )
    expect(rows.map(({ id }, at) => id === names[at])).toEqual([true, true, true])
    expect(rows.map(({ seen_at: at }) => at)).toEqual([0, 1, 2])
  })

  it('is started again by what is asked a second later', async () => {
    await addWorker('a')
    await expect(records.read(db => crash.execute(db))).rejects.toMatchObject(UNAVAILABLE)
    clock.skip(RESTART_MS)
    await addWorker('b')
    expect(await workers()).toEqual(['a', 'b'])
    expect(lost).toHaveLength(1)
  })

  it('takes a transaction along when it ends: nothing of it is written, also not by a new thread', async () => {
    const written = records.write(async db => {
      await db.insertInto('batch_workers').values({ id: 'half', seen_at: 1 }).execute()
      await crash.execute(db).catch(() => {})
      clock.skip(RESTART_MS)
      await db.insertInto('batch_workers').values({ id: 'other half', seen_at: 1 }).execute()
    })
    await expect(written).rejects.toMatchObject(UNAVAILABLE)
    expect(await workers()).toEqual([])
    await addWorker('next')
    expect(await workers()).toEqual(['next'])
  })

  it('is replaced when it has not answered for 15 s, and holds up nothing else of the process', async () => {
    let ticks = 0
    const ticking = setInterval(() => {
      ticks += 1
    }, 10)
    const hanging = timed(records.read(db => sql`select ${sql.lit(HANG)}`.execute(db)))
    await turn()
    clock.skip(REPLY_MS - SEVERAL_LOOKS_MS)
    // It is looked after every second of real time.
    expect(await Promise.race([hanging, sleep(SEVERAL_LOOKS_MS / 2, 'not yet')])).toBe('not yet')
    clock.skip(SEVERAL_LOOKS_MS)
    const { outcome, ms } = await hanging
    clearInterval(ticking)
    expect(outcome).toMatchObject(UNAVAILABLE)
    expect(ms).toBeLessThan(2 * SEVERAL_LOOKS_MS)
    expect(ticks).toBeGreaterThan(SEVERAL_LOOKS_MS / 100)
    clock.skip(RESTART_MS)
    expect(await workers()).toEqual([])
  })

  it('does not make an empty database where the file has gone', async () => {
    const { renameSync } = await import('node:fs')
    await addWorker('a')
    await expect(records.read(db => crash.execute(db))).rejects.toMatchObject(UNAVAILABLE)
    clock.skip(RESTART_MS)
    renameSync(path, `${path}.away`)
    await expect(workers()).rejects.toMatchObject(UNAVAILABLE)
    expect(existsSync(path)).toBe(false)
  })

  it('writes nothing into a file that was moved away, and goes on when it is back', async () => {
    const { renameSync } = await import('node:fs')
    await addWorker('a')
    renameSync(path, `${path}.away`)
    await expect(addWorker('b')).rejects.toMatchObject(UNAVAILABLE)
    renameSync(`${path}.away`, path)
    await addWorker('c')
    expect(await workers()).toEqual(['a', 'c'])
  })

  it('writes nothing into a file that another one has replaced', async () => {
    const { renameSync, writeFileSync } = await import('node:fs')
    await addWorker('a')
    renameSync(path, `${path}.away`)
    writeFileSync(path, '')
    await expect(addWorker('b')).rejects.toMatchObject(UNAVAILABLE)
    expect(await workers()).toEqual(['a'])
  })

  it('does what was asked before the close, refuses what comes after it, and leaves no log file', async () => {
    const asked = Array.from({ length: 50 }, (_, at) => addWorker(String(at)))
    const inTransaction = records.write(async db => {
      await db.insertInto('batch_workers').values({ id: 'slow', seen_at: 1 }).execute()
      await workers().catch(() => {})
      await db.insertInto('batch_workers').values({ id: 'slower', seen_at: 1 }).execute()
    })
    const closed = records.close()
    await expect(workers()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await Promise.all([...asked, inTransaction, closed])
    expect(existsSync(`${path}-wal`)).toBe(false)
    const again = await open()
    expect(await workers(again)).toHaveLength(52)
    await again.close()
  })

  it('keeps no process alive by itself, and does not end one that waits for it', () => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        '--input-type=module-typescript',
        '--eval',
        `import { systemClock } from './lib/clock.ts'
         import { sqliteRecords } from './lib/storage/records/sqlite.ts'
         const records = await sqliteRecords(${JSON.stringify(`${path}.other`)}, systemClock)
         await records.ping()
         console.log('answered')`,
      ],
      { cwd: ROOT, encoding: 'utf8', timeout: 30_000 },
    )
    expect([status, stdout]).toEqual([0, 'answered\n'])
  })

  it('reads what is committed while a transaction is open', async () => {
    await addWorker('before')
    await records.write(async db => {
      await db.insertInto('batch_workers').values({ id: 'within', seen_at: 1 }).execute()
      expect(await workers()).toEqual(['before'])
    })
    expect(await workers()).toEqual(['before', 'within'])
  })

  it('rolls back a transaction that was idle for 2 s, so that others can write, and does the whole of it again', async () => {
    const other = new DatabaseSync(path, { timeout: 0 })
    const begun = Promise.withResolvers<void>()
    let tries = 0
    const written = records.write(async db => {
      tries += 1
      await db
        .insertInto('batch_workers')
        .values({ id: `try ${tries}`, seen_at: 1 })
        .execute()
      if (tries > 1) return
      begun.resolve()
      await vi.waitFor(() => other.exec('begin immediate'), { timeout: 20_000, interval: 100 })
      other.exec('commit')
      await db.insertInto('batch_workers').values({ id: 'too late', seen_at: 1 }).execute()
    })
    await begun.promise
    expect(() => other.exec('begin immediate')).toThrow('database is locked')
    await written
    other.close()
    expect(tries).toBe(2)
    expect(await workers()).toEqual(['try 2'])
  })

  it('takes all statements back where one that must match a row matches none', async () => {
    const together = (id: string) =>
      records.writeTogether(db => [
        db.insertInto('batch_workers').values({ id: `${id}, too`, seen_at: 1 }),
        { query: db.deleteFrom('batch_workers').where('id', '=', id).compile(), mustMatch: true },
      ])
    await addWorker('a')
    expect(await together('b')).toBeUndefined()
    expect(await workers()).toEqual(['a'])
    expect(await together('a')).toHaveLength(2)
    expect(await workers()).toEqual(['a, too'])
  })

  it('commits many small transactions together, of which each takes effect alone or not at all', async () => {
    await addWorker('taken')
    const add = (db: Records['db'], id: string) => db.insertInto('batch_workers').values({ id, seen_at: 1 })
    const written = Array.from({ length: 100 }, (_, index) =>
      records.writeTogether(db => [add(db, `written ${index}`), add(db, `written ${index}, too`)]),
    )
    const unmatched = records.writeTogether(db => [
      add(db, 'undone'),
      { query: db.deleteFrom('batch_workers').where('id', '=', 'absent').compile(), mustMatch: true },
    ])
    const failed = records.writeTogether(db => [add(db, 'undone, too'), add(db, 'taken')])
    const last = records.writeTogether(db => [add(db, 'last')])
    expect((await Promise.all(written)).every(results => results?.length === 2)).toBe(true)
    expect(await unmatched).toBeUndefined()
    await expect(failed).rejects.toThrow()
    expect(await last).toHaveLength(1)
    const ids = await workers()
    expect(ids.filter(id => id.startsWith('written'))).toHaveLength(200)
    expect(ids.filter(id => !id.startsWith('written'))).toEqual(['last', 'taken'])
  })

  it('F21: fails a write after 5 s where another process holds the file for longer, and reads at once meanwhile', async () => {
    await addWorker('a')
    const other = new DatabaseSync(path)
    other.exec('begin immediate')
    let isWaiting = true
    const writes = Promise.all([timed(addWorker('b')), timed(addWorker('c'))]).finally(() => {
      isWaiting = false
    })
    const reads: number[] = []
    // Real time: SQLite itself waits.
    for (; isWaiting; await sleep(50)) reads.push((await timed(workers())).ms)
    other.exec('rollback')
    other.close()
    for (const { outcome, ms } of await writes) {
      expect(outcome).toMatchObject(UNAVAILABLE)
      expect(ms).toBeGreaterThan(4_500)
      expect(ms).toBeLessThan(7_000)
    }
    expect(reads.filter(ms => ms > 500)).toEqual([])
    await addWorker('d')
    expect(await workers()).toEqual(['a', 'd'])
  })
})

describe.each(HOSTS)('a gateway on the %s host', host => {
  it('does a batch on that thread, and has closed the file when it has stopped', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-thread-'))
    const gateway = await GatewayProcess.start(host, { DATA_DIR: dataDir, SHUTDOWN_GRACE_SECONDS: '5' })
    try {
      const client = new BatchClient(gateway.url)
      const { id } = await client.submit([{ prompt: 'Hi', model: 'mock/echo' }])
      expect(await client.ended(id)).toMatchObject({ state: 'completed' })
      gateway.signal('SIGTERM')
      expect(await gateway.exited()).toBe(0)
      expect(existsSync(join(dataDir, 'parley.db'))).toBe(true)
      expect(existsSync(join(dataDir, 'parley.db-wal'))).toBe(false)
    } finally {
      await gateway.stop()
    }
  })
})
