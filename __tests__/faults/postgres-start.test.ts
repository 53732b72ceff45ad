import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { GatewayProcess, pepperFor, ROOT } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'

const PASSWORD = 's3cret-password'
const ITEMS = [{ prompt: 'Hello', model: 'mock/echo' }]

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server.remove())

const urlOf = (port: number): string => `postgres://parley:${PASSWORD}@127.0.0.1:${port}/parley`

const listening = async (listener: Server): Promise<number> => {
  await once(listener.listen(0, '127.0.0.1'), 'listening')
  return (listener.address() as AddressInfo).port
}

/** A port on which connections are refused. */
const refusingPort = async (): Promise<number> => {
  const listener = createServer()
  const port = await listening(listener)
  await new Promise(resolve => listener.close(resolve))
  return port
}

const START = {
  gateway: [process.execPath, 'server.ts'],
  'next start': [process.execPath, 'node_modules/next/dist/bin/next', 'start', '-p', '0'],
  worker: [process.execPath, 'worker.ts'],
  'npm run worker': ['npm', 'run', '--silent', 'worker'],
} as const

/** What a start says, how it ends and how long it takes. */
const started = (what: keyof typeof START, env: Readonly<Record<string, string>>) => {
  const [program, ...args] = START[what]
  const startedAt = performance.now()
  const child: ChildProcess = spawn(program, args, {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      PORT: '0',
      ENABLE_CONSOLE: 'false',
      DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-test-')),
      ...pepperFor(env),
      ...env,
    },
  })
  let said = ''
  child.stderr?.on('data', text => {
    said += text
  })
  return once(child, 'close').then(([code]) => ({
    code,
    said,
    seconds: (performance.now() - startedAt) / 1000,
  }))
}

describe.concurrent.each(['gateway', 'next start', 'worker', 'npm run worker'] as const)(
  'a Postgres that is absent: %s',
  what => {
    it('that refuses is waited for 2 s where that is configured, aloud; then one clear line and code 1', async () => {
      const env = { DATABASE_URL: urlOf(await refusingPort()), DATABASE_WAIT_SECONDS: '2' }
      const { code, said, seconds } = await started(what, env)
      expect(code).toBe(1)
      expect(seconds).toBeGreaterThan(2)
      expect(
        said.match(/^Waiting up to 2 s for Postgres at 127\.0\.0\.1:\d+, database parley: /gm),
      ).toHaveLength(1)
      expect(said).toMatch(/DATABASE_URL: it cannot be used within 2 s \(Postgres at .*ECONNREFUSED/)
      expect(said).not.toContain(PASSWORD)
    })

    it('that accepts and stays silent is waited for in the same way', async () => {
      const listener = createServer(() => {})
      try {
        const env = { DATABASE_URL: urlOf(await listening(listener)), DATABASE_WAIT_SECONDS: '2' }
        const { code, said, seconds } = await started(what, env)
        expect(code).toBe(1)
        expect(seconds).toBeGreaterThan(2)
        expect(said.match(/^Waiting up to 2 s for Postgres at /gm)).toHaveLength(1)
        expect(said).toMatch(/DATABASE_URL: it cannot be used within 2 s .*timeout/)
      } finally {
        listener.close()
      }
    })
  },
)

describe('a start', () => {
  it('waits up to 30 s where nothing else is configured, and goes on as soon as the Postgres is there', async () => {
    const url = await server.database()
    await server.down()
    const gateway = await GatewayProcess.spawn('native', { DATABASE_URL: url })
    try {
      await gateway.until(
        () => gateway.everything.includes('Waiting up to 30 s for') || undefined,
        'the wait',
      )
      await server.up()
      await gateway.until(() => gateway.everything.includes('Parley is ready') || undefined, 'the start')
      expect((await new BatchClient(gateway.url).post('/jobs', { items: ITEMS })).status).toBe(202)
    } finally {
      await gateway.stop()
    }
  })

  it('that may not make its tables says so, and not that a transaction is aborted', async () => {
    const url = new URL(await server.database())
    await server.do('postgres', 'create role guest login')
    url.username = 'guest'
    const { code, said } = await started('gateway', { DATABASE_URL: url.href })
    expect(code).toBe(1)
    expect(said).toContain('permission denied for schema public')
    expect(said).not.toContain('aborted')
  })

  it('succeeds without the Redis that refuses, does not wait for it, and reports it as degraded', async () => {
    const gateway = await GatewayProcess.start('native', {
      REDIS_URL: `redis://127.0.0.1:${await refusingPort()}`,
    })
    try {
      expect(gateway.everything).not.toContain('Waiting up to')
      const health = await (await fetch(`${gateway.url}/api/health`)).json()
      expect(health).toMatchObject({ status: 'degraded', services: { redis: { status: 'degraded' } } })
    } finally {
      await gateway.stop()
    }
  })
})
