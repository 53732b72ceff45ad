import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { START_FLAGS } from '../../bench/start-flags.ts'
import { LoopDelays } from './loop-delays.ts'
import { freePort } from './ports.ts'

export const ROOT = join(import.meta.dirname, '../..')
export type HostName = 'native' | 'next'
export const HOSTS: readonly HostName[] = ['native', 'next']

const STARTS_WITHIN_MS = 150_000
/** How often the monitor of the event loop looks, with room. */
const LOOP_PERIOD_MS = 10

/** How a gateway's process is started, beside its environment. */
export type StartOptions = Readonly<{
  /** Most files and sockets it may have open at once; this machine's limit when absent. */
  mostFiles?: number
  /** Its port; a free one when absent. */
  port?: number
  /** Its working directory, where it looks for files of variables; the project's when absent. */
  cwd?: string
  /** Whether a native gateway starts from the sources, where there is a bundle too. */
  fromSources?: boolean
}>

/** The program of a native gateway or a worker: the bundle's where a global setup has made one (bundle.ts). */
export const programOf = (name: 'server' | 'worker', fromSources = false): string => {
  const { PARLEY_BUNDLE } = process.env
  return PARLEY_BUNDLE && !fromSources ? join(PARLEY_BUNDLE, `${name}.js`) : join(ROOT, `${name}.ts`)
}

const commandOf = (host: HostName, port: number, fromSources?: boolean): readonly string[] =>
  host === 'native'
    ? [programOf('server', fromSources)]
    : ['node_modules/next/dist/bin/next', 'start', '-p', String(port)]

/** Where Node keeps compiled modules between the starts of gateways and workers; empty where the project has none. */
export const compileCache = (): Record<string, string> => {
  const { NODE_COMPILE_CACHE } = process.env
  return NODE_COMPILE_CACHE ? { NODE_COMPILE_CACHE } : {}
}

/** Gateways on a Postgres must share one. */
export const pepperFor = ({ DATABASE_URL }: Readonly<Record<string, string>>): Record<string, string> =>
  DATABASE_URL === undefined ? {} : { KEY_PEPPER: 'n2Qz8vLr5tXw1YbKd7Gf3Hj6Mp9Sc0Ae' }

/** A gateway as a process of its own, with nothing of this machine's environment but its path. */
export class GatewayProcess {
  readonly url: string
  /** Measures of its event loop since `watchLoop`, as far as they have been written. */
  readonly delays: LoopDelays
  readonly #child: ChildProcess
  #output = ''
  #errors = ''

  private constructor(child: ChildProcess, port: number, delays: LoopDelays) {
    this.#child = child
    this.delays = delays
    this.url = `http://127.0.0.1:${port}`
    child.stdout?.on('data', data => {
      this.#output += data
    })
    child.stderr?.on('data', data => {
      this.#errors += data
    })
  }

  /** Starts one and waits until it is ready. Pages are off on the native host unless the environment asks for them. */
  static async start(
    host: HostName,
    env: Record<string, string> = {},
    options: StartOptions = {},
  ): Promise<GatewayProcess> {
    const gateway = await GatewayProcess.spawn(host, env, options)
    await gateway.#untilReady()
    return gateway
  }

  /** Starts one and does not wait. */
  static async spawn(
    host: HostName,
    env: Record<string, string> = {},
    { mostFiles, cwd = ROOT, port: wanted, fromSources }: StartOptions = {},
  ): Promise<GatewayProcess> {
    const port = wanted ?? (await freePort())
    const delays = new LoopDelays()
    const command = [process.execPath, ...START_FLAGS, ...delays.args, ...commandOf(host, port, fromSources)]
    const limited = mostFiles ? ['sh', '-c', `ulimit -n ${mostFiles}; exec "$@"`, 'sh', ...command] : command
    const child = spawn(limited[0] ?? '', limited.slice(1), {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        NODE_ENV: 'production',
        PORT: String(port),
        DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-test-')),
        ENABLE_CONSOLE: 'false',
        MOCK_LATENCY_MS: '5',
        MOCK_CHUNK_MS: '1',
        NEXT_TELEMETRY_DISABLED: '1',
        NEXT_MANUAL_SIG_HANDLE: 'true',
        ...compileCache(),
        ...delays.env,
        ...pepperFor(env),
        ...env,
      },
    })
    return new GatewayProcess(child, port, delays)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Everything it has said. */
  get everything(): string {
    return this.#output + this.#errors
  }

  /** Its log lines of requests. */
  get log(): Record<string, unknown>[] {
    return this.#output
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line))
  }

  /** The log line of one request; waits for it, because the log is written after the answer. */
  async lineOf(requestId: string): Promise<Record<string, unknown>> {
    return this.until(() => this.log.find(line => line.requestId === requestId), `a log line of ${requestId}`)
  }

  async until<T>(look: () => T | undefined, what: string, withinMs = 20_000): Promise<T> {
    const deadline = performance.now() + withinMs
    for (;;) {
      const found = look()
      if (found) return found
      if (performance.now() > deadline)
        throw new Error(`${what} did not come. The gateway said:\n${this.everything}`)
      await sleep(5)
    }
  }

  /** Measures of its event loop, once the loop has come to what was due by now. */
  async loopDelays(): Promise<LoopDelays> {
    for (
      let round = 0;
      round < 2 && this.#child.exitCode === null && this.#child.signalCode === null;
      round++
    ) {
      await fetch(`${this.url}/api/health/live`).catch(() => undefined)
      await sleep(2 * LOOP_PERIOD_MS)
    }
    return this.delays
  }

  /** Has its event loop watched from now on. Called once it is warm. */
  async watchLoop(): Promise<void> {
    this.delays.startOver()
    await this.until(() => this.delays.isMeasuring || undefined, 'the first measure of the event loop')
    const delays = await this.loopDelays()
    delays.startOver()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Its exit code, once it has ended. */
  async exited(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    const [code] = await once(this.#child, 'exit')
    return code
  }

  async stop(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited()
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + STARTS_WITHIN_MS
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const answer = await fetch(`${this.url}/api/health/ready`).catch(() => undefined)
      if (answer?.ok) return
      await sleep(50)
    }
    throw new Error(`The gateway did not start. It said:\n${this.everything}`)
  }
}
