import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { postgresPrograms } from '../../scripts/postgres.ts'
import { freePort } from './ports.ts'

const STARTS_WITHIN_MS = 60_000

type User = { uid: number; gid: number } | undefined

/** Postgres refuses to run as root: then as Debian’s own user. */
const userOf = (): User => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

/** A real Postgres of its own on a free port, that can be ended and started again with all it knows. */
export class PostgresServer {
  readonly port: number
  readonly #directory: string
  readonly #programs: string
  readonly #user: User
  #child: ChildProcess | undefined
  #databases = 0

  private constructor(port: number, programs: string) {
    this.port = port
    this.#programs = programs
    this.#user = userOf()
    this.#directory = mkdtempSync(join(tmpdir(), 'parley-postgres-'))
    if (this.#user) chownSync(this.#directory, this.#user.uid, this.#user.gid)
  }

  static async start(): Promise<PostgresServer> {
    const programs = postgresPrograms()
    if (!programs) throw new Error('Postgres is not installed; install Debian’s package “postgresql”')
    const server = new PostgresServer(await freePort(), programs)
    const { status, stderr } = spawnSync(
      join(programs, 'initdb'),
      ['-D', server.#directory, '-U', 'parley', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-locale'],
      { ...server.#user, encoding: 'utf8', cwd: server.#directory },
    )
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`)
    await server.up()
    return server
  }

  async up(): Promise<void> {
    const settings = {
      port: this.port,
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      fsync: 'off',
      max_connections: 200,
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    this.#child = spawn(join(this.#programs, 'postgres'), ['-D', this.#directory, ...args], {
      ...this.#user,
      cwd: this.#directory,
      stdio: 'ignore',
    })
    const deadline = performance.now() + STARTS_WITHIN_MS
    while (performance.now() < deadline) {
      if (await this.do('postgres', 'select 1').catch(() => false)) return
      await sleep(50)
    }
    throw new Error('Postgres did not start')
  }

  /** The address of a database that nobody else uses. */
  async database(): Promise<string> {
    this.#databases += 1
    const name = `test_${this.#databases}`
    await this.do('postgres', `create database ${name}`)
    return this.urlOf(name)
  }

  urlOf(name: string): string {
    return `postgres://parley@127.0.0.1:${this.port}/${name}`
  }

  /** Any statement, by the test's own connection. */
  async do(database: string, statement: string): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.urlOf(database), connectionTimeoutMillis: 5_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(statement)).rows
    } finally {
      await client.end()
    }
  }

  /** Breaks all connections and ends it; what was written stays. */
  async down(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGINT')
    await ended
  }

  /** Stops all its processes where they are: connections are accepted, and nothing is answered. */
  freeze(): void {
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error('Postgres is not running')
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')
    // The parent first, so that it starts no others.
    for (const each of [pid, ...children.map(Number)]) process.kill(each, signal)
  }

  async remove(): Promise<void> {
    await this.down()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
