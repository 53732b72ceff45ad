import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { listenFault } from '#lib/process/start-failure.ts'
import { post } from '../support/chat.ts'
import { GatewayProcess, HOSTS, ROOT } from '../support/gateway.ts'

/** Most tests start gateways from the bundle. */
const FROM_SOURCES = { fromSources: true }

const linkToItself = (): string => {
  const path = join(mkdtempSync(join(tmpdir(), 'parley-test-')), 'loop')
  symlinkSync(path, path)
  return path
}

/** Its messages to people, without the lines of the log. */
const spoken = ({ everything }: GatewayProcess): string[] =>
  everything.split('\n').filter(line => line !== '' && !line.startsWith('{'))

const utf16 = (text: string, bigEndian = false): Buffer => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return bigEndian ? bytes.swap16() : bytes
}

describe('files of variables', () => {
  const inFolder = (content?: string | Buffer): string => {
    const cwd = mkdtempSync(join(tmpdir(), 'parley-env-'))
    if (content === undefined) mkdirSync(join(cwd, '.env'))
    else writeFileSync(join(cwd, '.env'), content)
    return cwd
  }

  const TEXT = 'OPENAI_API_KEY="sk-from-file"\r\n# a remark\r\nDEFAULT_MODEL=gpt-4o\r\n'

  it.each<[string, string | Buffer]>([
    ['UTF-8 and CRLF', TEXT],
    ['a byte order mark', `\ufeff${TEXT}`],
    ['UTF-16', utf16(TEXT)],
    ['UTF-16 of the other byte order', utf16(TEXT, true)],
  ])('are read as Windows writes them: %s', (_, content) => {
    const program = `import { loadEnvFiles } from ${JSON.stringify(join(ROOT, 'lib/config/env-files.ts'))}
      loadEnvFiles()
      console.log(process.env.OPENAI_API_KEY, process.env.DEFAULT_MODEL)`
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: inFolder(content),
      env: { NODE_ENV: 'production' },
      encoding: 'utf8',
    })
    expect(stdout).toBe('sk-from-file gpt-4o\n')
  })

  it('are read from the working directory of the gateway', async () => {
    const gateway = await GatewayProcess.start('native', {}, { ...FROM_SOURCES, cwd: inFolder(utf16(TEXT)) })
    try {
      expect(gateway.everything).toContain('providers openai, mock')
      expect(gateway.everything).toContain('default model: gpt-4o')
    } finally {
      await gateway.stop()
    }
  })

  it.each<[string, string | Buffer | undefined, string]>([
    ['a directory', undefined, '.env: is a directory'],
    ['Latin-1', Buffer.from('HOST=caf\xe9', 'latin1'), '.env: is not UTF-8 text'],
  ])('that cannot be read are reported with all other faults: %s', async (_, content, line) => {
    const gateway = await GatewayProcess.spawn(
      'native',
      { PORT: 'x' },
      { ...FROM_SOURCES, cwd: inFolder(content) },
    )
    expect(await gateway.exited()).toBe(1)
    expect(spoken(gateway)).toEqual([
      'The configuration has 2 faults:',
      expect.stringContaining(line),
      expect.stringContaining('PORT = “x”'),
    ])
  })
})

describe.each(HOSTS)('starting under the %s host', host => {
  it('names every fault of the environment at once, shows no secret, and exits with 1', async () => {
    const gateway = await GatewayProcess.spawn(
      host,
      {
        DATA_DIR: 'x',
        REQUEST_TIMEOUT_MS: 'soon',
        RATE_LIMIT_ANONYMOUS: '5 a minute',
        OPENAI_BASE_URL: 'file:///etc/passwd',
        KEY_PEPPER: 'short-secret',
        ENABLE_RATE_LIMITING: 'maybe',
        ALLOWED_ORIGINS: 'https://a.example/path',
        LOG_LEVEL: 'loud',
      },
      FROM_SOURCES,
    )
    expect(await gateway.exited()).toBe(1)
    const said = gateway.everything
    for (const line of [
      'REQUEST_TIMEOUT_MS = “soon”: must be a whole number',
      'RATE_LIMIT_ANONYMOUS = “5 a minute”: must look like 5/1m',
      'OPENAI_BASE_URL = “file:///etc/passwd”: must be an http:// or https:// address',
      'KEY_PEPPER = (secret): must have at least 32 characters',
      'ENABLE_RATE_LIMITING = “maybe”: must be true or false',
      'ALLOWED_ORIGINS = “https://a.example/path”: must be exact origins',
      'LOG_LEVEL = “loud”: must be trace, debug',
    ])
      expect(said).toContain(line)
    expect(said).not.toContain('short-secret')
  })
})

describe('starting the native host', () => {
  it('prints its address, its providers, and a command to try that works', async () => {
    const gateway = await GatewayProcess.start('native', {}, FROM_SOURCES)
    try {
      expect(gateway.everything).toContain('providers mock (not set up: openai')
      const body = /-d '(\{.+\})'/.exec(gateway.everything)?.[1]
      expect((await post(gateway.url, body)).status).toBe(200)
    } finally {
      await gateway.stop()
    }
  })

  it('reports a port that is in use', async () => {
    const taken = createServer().listen(0)
    const { port } = taken.address() as AddressInfo
    const gateway = await GatewayProcess.spawn('native', { PORT: String(port) }, FROM_SOURCES)
    expect(await gateway.exited()).toBe(1)
    expect(gateway.everything).toContain('EADDRINUSE')
    taken.close()
  })

  it('keeps guests across a restart by a secret in DATA_DIR', async () => {
    const DATA_DIR = join(mkdtempSync(join(tmpdir(), 'parley-test-')), 'made/for/it')
    const limitOf = async (cookie: string) => {
      const gateway = await GatewayProcess.start('native', { DATA_DIR }, FROM_SOURCES)
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

  it.each<[string, string]>([
    ['ENOTDIR', '/dev/null/nowhere'],
    ['EPERM', '/sys/nowhere'],
    ['ENOENT', '/proc/nowhere'],
    ['ELOOP', linkToItself()],
    ['ENAMETOOLONG', `/tmp/${'x'.repeat(300)}`],
  ])(
    'refuses a DATA_DIR that cannot be written (%s), on one line that says how to go on',
    async (code, dir) => {
      const gateway = await GatewayProcess.spawn('native', { DATA_DIR: dir }, FROM_SOURCES)
      expect(await gateway.exited()).toBe(1)
      const lines = spoken(gateway)
      expect(lines).toHaveLength(2)
      expect(lines[1]).toContain(`${dir}/parley.db: DATA_DIR cannot be written (${code})`)
      expect(lines[1]).toContain('set DATA_DIR to a directory that can be written, or DATABASE_URL')
    },
  )

  it.each<[string, Record<string, string>, RegExp]>([
    ['an address of another machine', { HOST: '192.0.2.1' }, /^HOST = “192\.0\.2\.1”: .*EADDRNOTAVAIL/],
    ['a host that there is not', { HOST: 'nowhere.invalid' }, /^HOST = “nowhere\.invalid”: no such host/],
  ])('says on one line why it cannot listen: %s', async (_, env, line) => {
    const gateway = await GatewayProcess.spawn('native', env, FROM_SOURCES)
    expect(await gateway.exited()).toBe(1)
    expect(spoken(gateway)).toEqual([expect.stringMatching(line)])
  })

  it('names the right line for each failure to listen', () => {
    const listen = { syscall: 'listen', address: '::1', port: 80 }
    expect(listenFault({ ...listen, code: 'EACCES' })).toMatch(
      /^PORT = 80: not allowed for this user \(EACCES\)/,
    )
    expect(listenFault({ ...listen, code: 'EADDRINUSE' })).toMatch(/^PORT = 80: in use \(EADDRINUSE\)/)
    expect(listenFault({ code: 'ENOENT', syscall: 'open' })).toBeUndefined()
  })

  it('prints an IPv6 address in brackets', async () => {
    const gateway = await GatewayProcess.spawn('native', { HOST: '::1' }, FROM_SOURCES)
    try {
      await gateway.until(() => gateway.everything.includes('Try it') || undefined, 'the welcome')
      const address = /http:\/\/\S+\/api\/health/.exec(gateway.everything)?.[0] ?? ''
      expect(address).toMatch(/^http:\/\/\[::1\]:\d+\//)
      expect((await fetch(address)).status).toBe(200)
    } finally {
      await gateway.stop()
    }
  })
})
