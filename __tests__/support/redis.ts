import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './ports.ts'

const STARTS_WITHIN_MS = 30_000

type Argument = string | number

/** A real redis-server of its own on a free port, without files, that can be made to fail in every way. */
export class RedisServer {
  readonly port: number
  readonly #password: string | undefined
  #child: ChildProcess | undefined
  #client: Redis | undefined

  private constructor(port: number, password: string | undefined) {
    this.port = port
    this.#password = password
  }

  static async start({ password }: { password?: string } = {}): Promise<RedisServer> {
    const server = await RedisServer.absent({ ...(password && { password }) })
    await server.up()
    return server
  }

  /** One that does not run yet. */
  static async absent({ password }: { password?: string } = {}): Promise<RedisServer> {
    return new RedisServer(await freePort(), password)
  }

  get url(): string {
    const access = this.#password ? `:${encodeURIComponent(this.#password)}@` : ''
    return `redis://${access}127.0.0.1:${this.port}`
  }

  /** Starts it, empty, on the same port as ever. */
  async up(): Promise<void> {
    const dir = mkdtempSync(join(tmpdir(), 'parley-redis-'))
    const options = { port: this.port, bind: '127.0.0.1', save: '', appendonly: 'no', dir }
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
    if (this.#password) args.push('--requirepass', this.#password)
    this.#child = spawn('redis-server', args, { stdio: 'ignore' })
    this.#child.on('error', () => {})
    const deadline = performance.now() + STARTS_WITHIN_MS
    while (performance.now() < deadline) {
      if ((await this.do('PING').catch(() => undefined)) === 'PONG') return
      await sleep(20)
    }
    throw new Error('redis-server did not start; install Debian’s package “redis-server”')
  }

  /** Ends it at once, with all it knew. */
  async kill(): Promise<void> {
    this.#client?.disconnect()
    this.#client = undefined
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Takes connections and commands, and answers nothing until it may go on. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  goOn(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Any command, by the test's own connection. */
  async do(name: string, ...args: Argument[]): Promise<unknown> {
    this.#client ??= this.#connect()
    return await this.#client.call(name, ...args)
  }

  #connect(): Redis {
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: 3 })
    client.on('error', () => {})
    return client
  }
}
