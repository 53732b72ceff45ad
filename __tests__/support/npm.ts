import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileCache, ROOT } from './gateway.ts'
import { freePort } from './ports.ts'

export type NpmScript = 'start' | 'worker' | 'dev'
/** Whom a signal goes to: npm alone (Docker, systemd's KillMode=mixed), or its process group too (a terminal). */
export type SignalTarget = 'npm' | 'group'

const READY: Readonly<Record<NpmScript, string>> = {
  start: 'Parley is ready',
  worker: 'worker is running',
  dev: 'Ready in',
}

/** A script of package.json, run by npm in a process group of its own. */
export class NpmProcess {
  readonly url: string
  readonly #npm: ChildProcess
  #said = ''

  private constructor(npm: ChildProcess, port: number) {
    this.#npm = npm
    this.url = `http://127.0.0.1:${port}`
    for (const output of [npm.stdout, npm.stderr])
      output?.on('data', data => {
        this.#said += data
      })
  }

  /**
   * Starts it, and resolves as soon as the script says that it is ready.
   *
   * @param terminal runs it in a terminal of its own, which closes with the process that stands for npm here
   */
  static async start(
    script: NpmScript,
    env: Record<string, string> = {},
    { terminal = false }: { terminal?: boolean } = {},
  ): Promise<NpmProcess> {
    const port = await freePort()
    const [command = '', ...args] = terminal
      ? ['script', '-qfc', `npm run ${script}`, '/dev/null']
      : ['npm', 'run', script]
    const npm = spawn(command, args, {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env.PATH ?? '',
        HOME: process.env.HOME ?? '',
        NODE_ENV: script === 'dev' ? 'development' : 'production',
        NEXT_TELEMETRY_DISABLED: '1',
        PORT: String(port),
        HOST: '127.0.0.1',
        DATA_DIR: mkdtempSync(join(tmpdir(), 'parley-npm-')),
        ENABLE_CONSOLE: 'false',
        // A fifth of it goes by before a gateway that gets SIGTERM takes no more requests.
        SHUTDOWN_GRACE_SECONDS: '6',
        ...compileCache(),
        ...env,
      },
    })
    const started = new NpmProcess(npm, port)
    await started.says(READY[script])
    return started
  }

  get said(): string {
    return this.#said
  }

  async says(text: string): Promise<void> {
    while (!this.#said.includes(text)) {
      if (this.#npm.exitCode !== null) throw new Error(`npm ended:\n${this.#said}`)
      await Promise.race([once(this.#npm.stdout as never, 'data'), once(this.#npm.stderr as never, 'data')])
    }
  }

  signal(signal: NodeJS.Signals, target: SignalTarget): void {
    const pid = this.#npm.pid ?? 0
    process.kill(target === 'npm' ? pid : -pid, signal)
  }

  /** npm's exit code or signal, once it has ended. */
  async exited(): Promise<number | string | null> {
    const { exitCode, signalCode } = this.#npm
    if (exitCode === null && signalCode === null) await once(this.#npm, 'exit')
    return this.#npm.exitCode ?? this.#npm.signalCode
  }

  /** Resolves when the script has ended as well: then nothing holds npm's output open any more. */
  async scriptEnded(): Promise<void> {
    const { stdout } = this.#npm
    if (stdout && !stdout.closed) await once(stdout, 'close')
  }

  /** The processes of npm's group that have not ended. Linux only. */
  get left(): string[] {
    return globSync('/proc/[0-9]*/stat').flatMap(file => {
      // A process may end while it is looked at.
      const stat = existsSync(file) ? readFileSync(file, 'utf8') : ''
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(group) === this.#npm.pid && state !== 'Z' ? [stat] : []
    })
  }

  kill(): void {
    try {
      this.signal('SIGKILL', 'group')
    } catch {
      // All of it has ended.
    }
  }
}
