import { execFile } from 'node:child_process'
import { mkdtempSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, ROOT } from '../support/gateway.ts'

type Said = Readonly<{ code: number; out: string; err: string }>

describe('npm run keys', () => {
  const DATA_DIR = mkdtempSync(join(tmpdir(), 'parley-keys-'))
  let gateway: GatewayProcess
  beforeAll(async () => {
    gateway = await GatewayProcess.start('native', { DATA_DIR })
  })
  afterAll(() => gateway?.stop())

  const keys = (...args: string[]): Promise<Said> =>
    new Promise(resolve => {
      const env = { PATH: process.env.PATH ?? '', NODE_ENV: 'production' as const, DATA_DIR }
      execFile(process.execPath, ['scripts/keys.ts', ...args], { cwd: ROOT, env }, (error, out, err) =>
        resolve({ code: Number(error?.code ?? 0), out, err }),
      )
    })
  const statusOf = async (key: string) =>
    (await fetch(`${gateway.url}/v1/models`, { headers: { 'x-api-key': key } })).status
  /** Another process changes the database, so there is nothing to wait for but the gateway's answer. */
  const within5s = (key: string, status: number) =>
    expect.poll(() => statusOf(key), { timeout: 5_000, interval: 100 }).toBe(status)

  it('makes, rotates and revokes keys of a running gateway within 5 s, and shows each once', async () => {
    expect(await statusOf('any-placeholder')).toBe(200)
    const made = JSON.parse((await keys('create', '--name', 'one', '--owner', 'ada')).out)
    await within5s(made.key, 200)
    await within5s('any-placeholder', 401)
    const rotated = JSON.parse((await keys('rotate', made.id, '--overlap-seconds', '60')).out)
    expect([await statusOf(made.key), rotated.id]).toEqual([200, made.id])
    const listed = await keys('list')
    expect(JSON.parse(listed.out).keys).toMatchObject([{ id: made.id, prefix: rotated.key.slice(0, 12) }])
    expect(listed.out).not.toContain(rotated.key.slice(12))
    await keys('revoke', made.id)
    await within5s(rotated.key, 401)
  })

  it('says what is wrong, and how it is used', async () => {
    expect(await keys('create')).toMatchObject({ code: 1, err: expect.stringContaining('name') })
    expect(await keys('revoke', 'key_none')).toMatchObject({ code: 1, err: 'There is no such API key.\n' })
    expect(await keys('--help')).toMatchObject({ code: 0, out: expect.stringContaining('create --name') })
    expect((await keys()).code).toBe(1)
  })

  it.each([
    [['revoke', 'key_one', 'key_two'], 'revoke takes the id of one key.'],
    [['rotate'], 'rotate takes the id of one key.'],
    [['create', 'search'], 'create takes no “search”.'],
    [['list', '--owner', 'ada'], 'list takes no --owner.'],
    [['revoke', 'key_one', '--overlap-seconds', '60'], 'revoke takes no --overlap-seconds.'],
  ])('ignores no argument: %j', async (args, message) => {
    expect(await keys(...args)).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(RegExp(`^${message}\\n\\nUsage: npm run keys`)),
    })
  })

  it.each(['', ' ', 'NaN', '1e400', 'ten'])(
    'takes no “%s” for a number: a blank budget is none of $0',
    async text => {
      const makes = ['create', '--name', 'blank', `--budget-day=${text}`]
      expect(await keys(...makes)).toMatchObject({
        code: 1,
        out: '',
        err: '--budget-day must be a number.\n',
      })
      const rotates = ['rotate', 'key_none', `--overlap-seconds=${text}`]
      expect((await keys(...rotates)).err).toBe('--overlap-seconds must be a number.\n')
    },
  )

  it('has its pepper in a file that only its owner reads', () => {
    expect(statSync(join(DATA_DIR, 'key-pepper')).mode & 0o777).toBe(0o600)
  })

  it('lists when a running gateway has last seen each, also after it has stopped', async () => {
    const { id, key } = JSON.parse((await keys('create', '--name', 'used')).out)
    const lastUsedAt = async () =>
      JSON.parse((await keys('list')).out).keys.find((one: { id: string }) => one.id === id).lastUsedAt
    expect(await lastUsedAt()).toBeNull()
    const before = Date.now()
    await within5s(key, 200)
    await expect.poll(lastUsedAt, { timeout: 10_000, interval: 100 }).toEqual(expect.any(String))
    const first = Date.parse(await lastUsedAt())
    expect(Math.abs(first - before)).toBeLessThan(5_000)
    // Within the minute it is written when the gateway stops.
    await statusOf(key)
    gateway.signal('SIGTERM')
    await gateway.exited()
    expect(Date.parse(await lastUsedAt())).toBeGreaterThan(first)
  })
})
