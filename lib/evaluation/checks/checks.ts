import { Worker } from 'node:worker_threads'
import type { Clock } from '../../clock.ts'
import { threadProgram } from '../../thread-program.ts'
import type { CheckRequest } from './messages.ts'

/** The result of a check, unless it took too long or failed. */
export type Checked<Value> =
  | Readonly<{ state: 'known'; value: Value }>
  | Readonly<{ state: 'unknown'; reason: string }>

export type ChecksDeps = Readonly<{
  clock: Clock
  limitMs: number
  /** The thread's program: a parameter, so that bundlers leave the file alone, which Node runs directly. */
  program: string
}>

/** The program of the checks' thread. */
export const CHECKS_PROGRAM = threadProgram(import.meta.url)
const IDLE_MS = 30_000
const MOST_MEGABYTES = 256

type Reply = { id: number; result?: unknown; error?: string }
type Waiting = { request: CheckRequest; resolve: (checked: Checked<unknown>) => void }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const failed = (error: unknown): Checked<unknown> => ({ state: 'unknown', reason: messageOf(error) })

/**
 * Checks answers by the expressions and schemas of clients, in a thread of their own: however long one takes, the event
 * loop is free, and after `limitMs` the check ends without a result. They run one after another.
 */
export class Checks {
  readonly #deps: ChecksDeps
  readonly #queue: Waiting[] = []
  #worker: Worker | undefined
  #isRunning = false
  #lastId = 0
  #uses = 0

  constructor(deps: ChecksDeps) {
    this.#deps = deps
  }

  /** What is wrong with an expression; undefined where it can be used. */
  patternFault(pattern: string, flags: string): Promise<string | undefined> {
    return this.#faultOf({ kind: 'pattern', pattern, flags })
  }

  /** What is wrong with a schema; undefined where it can be used. */
  schemaFault(schema: unknown): Promise<string | undefined> {
    return this.#faultOf({ kind: 'schema', schema })
  }

  /** Whether an expression matches anywhere in a text. */
  async matches(pattern: string, flags: string, text: string): Promise<Checked<boolean>> {
    return this.#asked<boolean>({ kind: 'match', pattern, flags, text })
  }

  /** How a JSON text violates a schema: sentences, none where it does not. */
  async violations(schema: unknown, text: string): Promise<Checked<readonly string[]>> {
    return this.#asked<readonly string[]>({ kind: 'validate', schema, text })
  }

  async #faultOf(request: CheckRequest): Promise<string | undefined> {
    const checked = await this.#asked<string | undefined>(request)
    return checked.state === 'known' ? checked.value : checked.reason
  }

  #asked<Value>(request: CheckRequest): Promise<Checked<Value>> {
    return new Promise(resolve => {
      this.#queue.push({ request, resolve: checked => resolve(checked as Checked<Value>) })
      if (!this.#isRunning) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    for (let next = this.#queue.shift(); next; next = this.#queue.shift())
      next.resolve(await this.#check(next.request).catch(failed))
    this.#isRunning = false
    this.#endWhenIdle()
  }

  async #check(request: CheckRequest): Promise<Checked<unknown>> {
    const { clock, limitMs } = this.#deps
    const worker = this.#workerNow()
    const id = ++this.#lastId
    return new Promise(resolve => {
      const end = (checked: Checked<unknown>): void => {
        timer.cancel()
        worker.off('message', onMessage).off('error', onError).unref()
        resolve(checked)
      }
      const lose = (reason: string): void => {
        this.#worker = undefined
        void worker.terminate()
        end({ state: 'unknown', reason })
      }
      const onMessage = ({ id: of, result, error }: Reply): void => {
        if (of !== id) return
        end(error === undefined ? { state: 'known', value: result } : { state: 'unknown', reason: error })
      }
      const onError = (error: unknown): void => lose(messageOf(error))
      const timer = clock.timer(limitMs, () => lose(`The check took longer than ${limitMs} ms.`))
      worker.ref()
      worker.on('message', onMessage).on('error', onError)
      worker.postMessage({ id, request })
    })
  }

  #workerNow(): Worker {
    this.#uses += 1
    if (this.#worker) return this.#worker
    const worker = new Worker(this.#deps.program, {
      execArgv: [],
      env: {},
      name: 'parley-checks',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
    })
    // An error after the check's end must not end the process.
    worker.on('error', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }

  #endWhenIdle(): void {
    const uses = this.#uses
    this.#deps.clock.timer(IDLE_MS, () => {
      if (this.#isRunning || uses !== this.#uses) return
      void this.#worker?.terminate()
      this.#worker = undefined
    })
  }
}
