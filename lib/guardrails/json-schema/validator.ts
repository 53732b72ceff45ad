import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../clock.ts'
import { threadProgram } from '../../thread-program.ts'
import type { CheckRequest, CheckResult, FromThread } from './messages.ts'

const PROGRAM = threadProgram(import.meta.url)
/** One check; usual ones take less than a millisecond. */
const MOST_MS = 500
const START_MS = 10_000
const MOST_WAITING = 200
/** The thread ends after this long without a check. */
const IDLE_MS = 60_000
const MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

const SLOW: CheckResult = { outcome: 'unchecked', reason: 'too-slow' }
const BUSY: CheckResult = { outcome: 'unchecked', reason: 'busy' }

/** One run of the thread, which does one check at a time. */
class CheckThread {
  readonly #worker: Worker
  readonly #ready = Promise.withResolvers<boolean>()
  #result: ((result: CheckResult | undefined) => void) | undefined
  #lastId = 0
  #hasEnded = false

  constructor(program: string) {
    this.#worker = new Worker(program, {
      execArgv: [],
      env: {},
      name: 'parley-json-schema',
      resourceLimits: MEMORY,
    })
    this.#worker.on('message', (message: FromThread) => {
      if ('ready' in message) this.#ready.resolve(true)
      else if (message.id === this.#lastId) this.#result?.(message.result)
    })
    this.#worker.on('error', () => this.#lose())
    this.#worker.on('exit', () => this.#lose())
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Undefined where the thread has ended before its result. */
  async check(request: Omit<CheckRequest, 'id'>, clock: Clock): Promise<CheckResult | undefined> {
    this.#worker.ref()
    let timer = clock.timer(START_MS, () => this.end())
    try {
      if (!(await this.#ready.promise)) return undefined
      timer.cancel()
      timer = clock.timer(MOST_MS, () => this.end())
      this.#lastId += 1
      const { promise, resolve } = Promise.withResolvers<CheckResult | undefined>()
      this.#result = resolve
      this.#worker.postMessage({ id: this.#lastId, ...request } satisfies CheckRequest)
      return await promise
    } finally {
      timer.cancel()
      this.#worker.unref()
    }
  }

  end(): void {
    this.#lose()
    void this.#worker.terminate()
  }

  #lose(): void {
    this.#hasEnded = true
    this.#ready.resolve(false)
    this.#result?.(undefined)
  }
}

/**
 * Checks JSON texts against JSON schemas of clients: on a thread of its own, since a schema can be made so that its check
 * takes for ever. Schemas are interpreted, never made into code, and no reference is fetched.
 */
export class SchemaValidator {
  readonly #clock: Clock
  #thread: CheckThread | undefined
  #idle: Timer | undefined
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Never rejects. A check takes 500 ms at most, besides those before it. @param schema JSON @param text the answer */
  async check(schema: string, text: string): Promise<CheckResult> {
    if (this.#waiting >= MOST_WAITING) return BUSY
    this.#waiting += 1
    const result = this.#last.then(() => this.#check(schema, text))
    this.#last = result
    try {
      return await result
    } finally {
      this.#waiting -= 1
    }
  }

  /** Whether its thread is there. */
  get isRunning(): boolean {
    return this.#thread !== undefined
  }

  /** Ends its thread, and the check in progress. */
  close(): void {
    this.#idle?.cancel()
    this.#thread?.end()
    this.#thread = undefined
  }

  async #check(schema: string, text: string): Promise<CheckResult> {
    this.#idle?.cancel()
    this.#thread ??= new CheckThread(PROGRAM)
    const result = await this.#thread.check({ schema, text }, this.#clock)
    if (this.#thread?.hasEnded) this.#thread = undefined
    this.#idle = this.#clock.timer(IDLE_MS, () => this.close())
    return result ?? SLOW
  }
}
