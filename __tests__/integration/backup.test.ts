import { execFile } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { GatewayProcess, ROOT } from '../support/gateway.ts'

type Run = Readonly<{ code: number; output: string }>

const script = (name: string, cwd: string, env: Record<string, string>, ...args: string[]): Promise<Run> =>
  new Promise(done => {
    execFile(
      process.execPath,
      [join(ROOT, 'scripts', name), ...args],
      { cwd, env: { NODE_ENV: 'production', PATH: process.env.PATH, ...env } },
      (error, stdout, stderr) => done({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })

const newDirectory = (): string => mkdtempSync(join(tmpdir(), 'parley-backup-'))
const backUp = (dataDir: string, ...files: string[]): Promise<Run> =>
  script('backup.ts', dataDir, { DATA_DIR: dataDir }, ...files)

const KEYS = 500
/** Callers without a key may not store so many values. */
const ADMIN_TOKEN = 'the-token-of-the-admin'
const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }

/** Stores numbers under 500 keys in turn until it is stopped, each once the one before is stored. */
const writer = (url: string) => {
  let isOn = true
  let stored = 0
  const done = (async () => {
    for (; isOn; stored += 1) {
      const answer = await fetch(`${url}/api/kv/k${stored % KEYS}`, {
        method: 'PUT',
        headers,
        body: JSON.stringify({ number: stored, text: 'x'.repeat(2_000) }),
      })
      if (!answer.ok) throw new Error(`number ${stored} was answered by ${answer.status}`)
    }
  })()
  const stop = async (): Promise<number> => {
    isOn = false
    await done
    return stored
  }
  return { stored: () => stored, stop }
}

const start = (dataDir: string): Promise<GatewayProcess> =>
  GatewayProcess.start('native', { DATA_DIR: dataDir, ADMIN_TOKEN, ENABLE_RATE_LIMITING: 'false' })

describe('npm run backup', () => {
  it('copies the database of a gateway that writes, and the copy restores all that was stored before', async () => {
    const dataDir = newDirectory()
    const backups = newDirectory()
    const gateway = await start(dataDir)
    const writing = writer(gateway.url)
    const copies: { file: string; before: number }[] = []
    try {
      for (const name of ['one.db', 'two.db', 'three.db']) {
        const least = writing.stored() + 20
        await gateway.until(() => writing.stored() >= least || undefined, 'more values')
        const file = join(backups, name)
        const before = writing.stored()
        expect(await backUp(dataDir, file)).toMatchObject({ code: 0 })
        copies.push({ file, before })
      }
      expect(await writing.stop()).toBeGreaterThan(copies.at(-1)?.before ?? Number.POSITIVE_INFINITY)
    } finally {
      await gateway.stop()
    }
    expect(readdirSync(backups).toSorted()).toEqual(['one.db', 'three.db', 'two.db'])

    for (const { file, before } of copies) {
      expect(statSync(file).mode & 0o777).toBe(0o600)
      // The restore as README describes it.
      const restored = newDirectory()
      copyFileSync(file, join(restored, 'parley.db'))
      chmodSync(join(restored, 'parley.db'), 0o600)
      const again = await start(restored)
      try {
        const { keys } = await (await fetch(`${again.url}/api/kv?limit=1000`, { headers })).json()
        const numbers: number[] = []
        for (const key of keys)
          numbers.push((await (await fetch(`${again.url}/api/kv/${key}`, { headers })).json()).number)
        const newest = Math.max(...numbers)
        expect(newest).toBeGreaterThanOrEqual(before - 1)
        // The values of one moment: the latest that were stored until then, none of them missing.
        const expected = Array.from({ length: Math.min(KEYS, newest + 1) }, (_, age) => newest - age)
        expect(numbers.toSorted((x, y) => y - x)).toEqual(expected)
        const more = await fetch(`${again.url}/api/kv/one-more`, {
          method: 'PUT',
          headers,
          body: '1',
        })
        expect(more.status).toBe(201)
      } finally {
        await again.stop()
      }
    }
  })

  it('copies the database of a gateway that has stopped', async () => {
    const dataDir = newDirectory()
    const gateway = await start(dataDir)
    gateway.signal('SIGTERM')
    await gateway.exited()
    const file = join(newDirectory(), 'copy.db')
    expect(await backUp(dataDir, file)).toMatchObject({ code: 0 })
    const copy = new DatabaseSync(file, { readOnly: true })
    expect(copy.prepare('select count(*) as count from audit_head').get()).toEqual({ count: 1 })
    copy.close()
  })

  it.each([
    [['--help'], 0, 'usage: npm run backup -- FILE'],
    [['-h'], 0, 'usage: npm run backup -- FILE'],
    [[], 2, 'usage: npm run backup -- FILE'],
    [['one.db', 'two.db'], 2, 'usage: npm run backup -- FILE'],
    [['--force', 'one.db'], 1, '--force'],
  ])('takes one name: %j ends with %i and makes no copy', async (args, code, output) => {
    const dataDir = newDirectory()
    new DatabaseSync(join(dataDir, 'parley.db')).close()
    expect(await backUp(dataDir, ...args)).toMatchObject({ code, output: expect.stringContaining(output) })
    expect(readdirSync(dataDir)).toEqual(['parley.db'])
  })

  it('overwrites nothing, and leaves nothing where it fails', async () => {
    const dataDir = newDirectory()
    const backups = newDirectory()
    const file = join(backups, 'copy.db')
    expect(await backUp(dataDir, file)).toMatchObject({
      code: 1,
      output: expect.stringContaining('no database'),
    })
    writeFileSync(join(dataDir, 'parley.db'), 'x'.repeat(10_000))
    expect((await backUp(dataDir, file)).code).toBe(1)
    expect(readdirSync(backups)).toEqual([])
    writeFileSync(file, 'precious')
    expect(await backUp(dataDir, file)).toMatchObject({
      code: 1,
      output: expect.stringContaining('not overwritten'),
    })
    expect(statSync(file).size).toBe('precious'.length)
    expect(await script('backup.ts', dataDir, {})).toMatchObject({ code: 2 })
    expect(existsSync(join(dataDir, 'data'))).toBe(false)
  })

  it('says to use pg_dump for a Postgres, and shows nothing of its address', async () => {
    const env = {
      DATABASE_URL: 'postgres://parley:the-password@127.0.0.1:1/parley',
      KEY_PEPPER: 'q7Vt2mXc9LpR4sZk8HwJ1nYb5GdF3aTe',
    }
    const run = await script('backup.ts', newDirectory(), env, 'copy.db')
    expect(run).toMatchObject({ code: 2, output: expect.stringContaining('pg_dump') })
    expect(run.output).not.toContain('the-password')
  })
})
