import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'

const ADMIN_TOKEN = 'the-token-of-the-admin'
const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` }

type Run = Readonly<{ code: number; output: string }>

/** `npm run audit:verify` on a directory. */
const verify = (dataDir: string, ...anchors: readonly string[]): Promise<Run> =>
  new Promise(resolve => {
    execFile(
      process.execPath,
      [join(ROOT, 'scripts/audit-verify.ts'), ...anchors],
      { cwd: dataDir, env: { NODE_ENV: 'production', PATH: process.env.PATH, DATA_DIR: dataDir } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    )
  })

describe.each(HOSTS)('the audit log under the %s server', host => {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-audit-'))
  const config = join(dataDir, 'gateway.yaml')
  let gateway: GatewayProcess

  beforeAll(async () => {
    writeFileSync(config, 'cache: { ttlSeconds: 60 }\n')
    gateway = await GatewayProcess.start(host, {
      DATA_DIR: dataDir,
      GATEWAY_CONFIG: config,
      ADMIN_TOKEN,
      ENABLE_RATE_LIMITING: 'false',
    })
  })
  afterAll(() => gateway?.stop())

  const entries = async (query = '') => {
    const answer = await fetch(`${gateway.url}/api/admin/audit${query}`, { headers: ADMIN })
    expect(answer.status).toBe(200)
    return answer.json()
  }
  const invalidate = (body: object, headers: Record<string, string> = {}) =>
    fetch(`${gateway.url}/api/admin/cache`, {
      method: 'DELETE',
      headers: { ...ADMIN, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  it('is for admins alone', async () => {
    expect((await fetch(`${gateway.url}/api/admin/audit`)).status).toBe(401)
  })

  it('records an invalidation of the cache: who, what, from where, in which request', async () => {
    expect((await invalidate({ tag: 'docs' }, { 'x-request-id': 'req-of-the-admin' })).status).toBe(200)
    const [newest] = (await entries()).entries
    expect(newest).toMatchObject({
      actor: 'admin-token',
      action: 'cache.invalidate',
      object: 'cache',
      detail: { tag: 'docs' },
      address: '127.0.0.1',
      requestId: 'req-of-the-admin',
    })
    expect(JSON.stringify(newest)).not.toContain(ADMIN_TOKEN)
  })

  it('records a budget that is set, and none that is refused', async () => {
    const headers = { ...ADMIN, 'content-type': 'application/json' }
    const send = (path: string, method: string, body: object) =>
      fetch(`${gateway.url}/api/admin/${path}`, { method, headers, body: JSON.stringify(body) })
    const { id } = await (await send('keys', 'POST', { name: 'short' })).json()
    for (const scope of ['owner:ada', `key:${id}`]) {
      expect((await send(`budgets/${scope}`, 'PUT', { day: 1 })).status).toBe(200)
      const [newest] = (await entries()).entries
      expect(newest).toMatchObject({
        action: 'budget.change',
        object: scope,
        detail: { day: 1, month: null },
      })
    }
    await send(`keys/${id}/revoke`, 'POST', {})
    expect((await send(`budgets/key:${id}`, 'PUT', { day: 2 })).status).toBe(409)
    expect((await entries()).entries[0]).toMatchObject({ action: 'key.revoke', object: id })
  })

  it('records a changed configuration file by its hashes', async () => {
    writeFileSync(config, 'cache: { ttlSeconds: 61 }\n')
    await gateway.until(
      () => gateway.log.find(({ message }) => message === 'configuration applied'),
      'the log line of the reload',
    )
    // Written after the entry of the reload.
    expect((await invalidate({ tag: 'after' })).status).toBe(200)
    const reload = (await entries()).entries.find(
      ({ action }: { action: string }) => action === 'config.reload',
    )
    expect(reload).toMatchObject({ actor: 'system', object: 'GATEWAY_CONFIG', address: null })
    expect(reload.beforeHash).not.toBe(reload.afterHash)
  })

  it('is read page by page, newest first', async () => {
    await invalidate({ tag: 'a' })
    await invalidate({ tag: 'b' })
    const first = await entries('?limit=1')
    const second = await entries(`?limit=1&cursor=${first.nextCursor}`)
    expect([...first.entries, ...second.entries].map(({ detail }) => detail)).toEqual([
      { tag: 'b' },
      { tag: 'a' },
    ])
    const last = await entries('?limit=200')
    expect(last.nextCursor).toBeNull()
    const answer = await fetch(`${gateway.url}/api/admin/audit?cursor=x`, { headers: ADMIN })
    expect(answer.status).toBe(400)
  })

  it('refuses the action with 503 where it cannot be written', async () => {
    const before = await (await fetch(`${gateway.url}/api/admin/cache`, { headers: ADMIN })).json()
    const locking = new DatabaseSync(join(dataDir, 'parley.db'))
    locking.exec('begin immediate')
    try {
      const answer = await invalidate({ all: true })
      expect([answer.status, (await answer.json()).error.code]).toEqual([503, 'STORE_UNAVAILABLE'])
    } finally {
      locking.exec('rollback')
      locking.close()
    }
    const after = await (await fetch(`${gateway.url}/api/admin/cache`, { headers: ADMIN })).json()
    expect(after.invalidations).toBe(before.invalidations)
  })

  it('is verified by npm run audit:verify while the gateway runs, which names the first altered row', async () => {
    const whole = await verify(dataDir)
    expect(whole).toMatchObject({ code: 0, output: expect.stringMatching(/whole: \d+ rows/) })
    const [, anchor = ''] = /Anchor: (\S+)/.exec(whole.output) ?? []
    const intruder = new DatabaseSync(join(dataDir, 'parley.db'))
    const last = Number(anchor.split(':')[0])
    intruder.exec(`delete from audit_log where sequence = ${last}`)
    intruder.exec(
      'update audit_head set sequence = sequence - 1, hash = (select hash from audit_log order by sequence desc limit 1)',
    )
    expect((await verify(dataDir)).code).toBe(0)
    expect(await verify(dataDir, anchor)).toMatchObject({
      code: 1,
      output: expect.stringContaining(`Row ${last} of`),
    })
    intruder.exec("update audit_log set actor = 'system' where sequence = 1")
    intruder.close()
    expect(await verify(dataDir)).toMatchObject({ code: 1, output: expect.stringContaining('Row 1 of') })
    expect((await verify(dataDir, 'no-anchor')).code).toBe(2)
  })

  it('is not taken to be whole where there is no database, and none is created', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'parley-audit-'))
    expect(await verify(empty)).toEqual({
      code: 2,
      output: `There is no database at ${join(empty, 'parley.db')} (DATA_DIR).\n`,
    })
    expect(readdirSync(empty)).toEqual([])
    expect(await verify(empty, '--help')).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^usage: /),
    })
  })
})
