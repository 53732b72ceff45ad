import { existsSync, mkdtempSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { json, post } from '../support/chat.ts'
import { GatewayProcess, HOSTS } from '../support/gateway.ts'

describe.each(HOSTS)('starting under the %s host', host => {
  it('names every fault of the environment at once, shows no secret, and exits with 1', async () => {
    const gateway = await GatewayProcess.spawn(host, {
      DATA_DIR: 'x',
      REQUEST_TIMEOUT_MS: 'soon',
      RATE_LIMIT_ANONYMOUS: '5 a minute',
      OPENAI_BASE_URL: 'file:///etc/passwd',
      KEY_PEPPER: 'short-secret',
      ENABLE_RATE_LIMITING: 'maybe',
      ALLOWED_ORIGINS: 'https://a.example/path',
      LOG_LEVEL: 'loud',
    })
    expect(await gateway.exited()).toBe(1)
    const said = gateway.everything
    for (const line of [
      'REQUEST_TIMEOUT_MS = “soon”: must be a whole number',
      'RATE_LIMIT_ANONYMOUS = “5 a minute”: must look like 5/1m',
      'OPENAI_BASE_URL = “file:///etc/passwd”: must be an http:// or https:// address',
      'KEY_PEPPER = (secret): must have at least 16 characters',
      'ENABLE_RATE_LIMITING = “maybe”: must be true or false',
      'ALLOWED_ORIGINS = “https://a.example/path”: must be exact origins',
      'LOG_LEVEL = “loud”: must be trace, debug',
    ])
      expect(said).toContain(line)
    expect(said).not.toContain('short-secret')
  })
})

describe('starting the native host', () => {
  it('tells where it is, who answers, and a line to try that works', async () => {
    const gateway = await GatewayProcess.start('native')
    try {
      expect(gateway.everything).toContain('providers mock (not set up: openai')
      const body = /-d '(\{.+\})'/.exec(gateway.everything)?.[1]
      expect((await post(gateway.url, body)).status).toBe(200)
    } finally {
      await gateway.stop()
    }
  })

  it('says so when its port is taken', async () => {
    const taken = createServer().listen(0)
    const { port } = taken.address() as AddressInfo
    const gateway = await GatewayProcess.spawn('native', { PORT: String(port) })
    expect(await gateway.exited()).toBe(1)
    expect(gateway.everything).toContain('EADDRINUSE')
    taken.close()
  })

  it('keeps guests across a restart by a secret in DATA_DIR', async () => {
    const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'parley-test-')), 'made/for/it')
    const limitOf = async (cookie: string) => {
      const gateway = await GatewayProcess.start('native', { DATA_DIR })
      const made = await fetch(`${gateway.url}/api/session`, { method: 'POST' })
      const answer = await post(gateway.url, { prompt: 'Hi' }, { headers: { cookie } })
      await gateway.stop()
      return {
        limit: answer.headers.get('x-ratelimit-limit'),
        cookie: made.headers.get('set-cookie')?.split(';')[0] ?? '',
      }
    }
    const first = await limitOf('')
    expect(existsSync(join(DATA_DIR, 'session-secret'))).toBe(true)
    expect((await limitOf(first.cookie)).limit).toBe('30')
  })

  it('refuses a DATA_DIR that cannot be written, and says how to go on', async () => {
    const gateway = await GatewayProcess.spawn('native', { DATA_DIR: '/dev/null/nowhere' })
    expect(await gateway.exited()).toBe(1)
    expect(gateway.everything).toMatch(/\/dev\/null\/nowhere\/parley\.db: .*ENABLE_BATCH=false/)
  })

  it('runs without one where it keeps no records', async () => {
    const gateway = await GatewayProcess.start('native', {
      DATA_DIR: '/dev/null/nowhere',
      ENABLE_BATCH: 'false',
    })
    try {
      expect((await json(await post(gateway.url, { prompt: 'Hi' }))).content).toContain('You asked')
      await gateway.until(
        () => gateway.everything.includes('DATA_DIR cannot be used') || undefined,
        'the warning',
      )
    } finally {
      await gateway.stop()
    }
  })
})
