import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { compileCache, pepperFor, programOf, ROOT } from './gateway.ts'

/** A worker as a process of its own, that can be killed and started again. */
export class WorkerProcess {
  readonly #env: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  #said = ''

  constructor(env: Readonly<Record<string, string>>) {
    this.#env = {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      ...compileCache(),
      ...pepperFor(env),
      ...env,
    }
  }

  get said(): string {
    return this.#said
  }

  /** Starts it. Resolves as soon as it works. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [programOf('worker')], {
      cwd: ROOT,
      env: this.#env as NodeJS.ProcessEnv,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    const ready = Promise.withResolvers<void>()
    child.stderr?.on('data', text => {
      this.#said += text
      if (String(text).includes('worker is running')) ready.resolve()
    })
    child.once('exit', () => ready.reject(new Error(`the worker ended:\n${this.#said}`)))
    ready.promise.catch(() => {})
    await ready.promise
  }

  /** Sends it a signal that it survives. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    child.kill(signal)
    const [code] = await once(child, 'exit')
    return code
  }
}
