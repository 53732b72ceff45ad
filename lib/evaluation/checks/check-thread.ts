import { Worker } from 'node:worker_threads'
import type { Clock, Timer } from '../../clock.ts'
import type { CheckRequest } from './messages.ts'

/** The result of a check, unless it took too long or failed. */
export type Checked<Value> =
  | Readonly<{ state: 'known'; value: Value }>
  | Readonly<{ state: 'unknown'; reason: string }>

export type CheckThreadDeps = Readonly<{
  clock: Clock
  /** How long one check may take, milliseconds. */
  limitMs: number
  /** The thread's program: a parameter, so that bundlers leave the file alone, which Node runs directly. */
  program: string
}>

/** How long a new thread may take to read its program; the time of a check begins after that. */
const STARTS_WITHIN_MS = 10_000
const IDLE_MS = 30_000
const MOST_MEGABYTES = 256

/** What the thread says: once that it is ready, and then the result of each check. */
type Said = { isReady: true } | { isReady?: undefined; id: number; result?: unknown; error?: string }

/** A result, and how long the check took, ms. */
export type TimedCheck = Readonly<{ checked: Checked<unknown>; tookMs: number }>

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** A thread for checks, one at a time. One that takes longer than its limit ends with its thread. */
export class CheckThread {
  readonly #deps: CheckThreadDeps
  #worker: Worker | undefined
  #isReady = false
  #isRunning = false
  #lastId = 0

  constructor(deps: CheckThreadDeps) {
    this.#deps = deps
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Never rejects. To be called while no other check runs. */
  async run(request: CheckRequest): Promise<TimedCheck> {
    this.#isRunning = true
    try {
      return await this.#check(request)
    } catch (error) {
      return { checked: { state: 'unknown', reason: messageOf(error) }, tookMs: 0 }
    } finally {
      this.#isRunning = false
      this.#endWhenIdle(this.#lastId)
    }
  }

  async #check(request: CheckRequest): Promise<TimedCheck> {
    const { clock, limitMs } = this.#deps
    const id = ++this.#lastId
    const worker = this.#workerNow()
    return new Promise(resolve => {
      const end = (checked: Checked<unknown>): void => {
        timer.cancel()
        worker.off('message', onMessage).off('error', onError).unref()
        resolve({ checked, tookMs: begunAt === undefined ? 0 : clock.now() - begunAt })
      }
      const lose = (reason: string): void => {
        this.#worker = undefined
        void worker.terminate()
        end({ state: 'unknown', reason })
      }
      const begin = (): Timer => {
        begunAt = clock.now()
        return clock.timer(limitMs, () => lose(`The check took longer than ${limitMs} ms.`))
      }
      const onMessage = (said: Said): void => {
        if (said.isReady) {
          timer.cancel()
          timer = begin()
          return
        }
        if (said.id !== id) return
        const { result, error } = said
        end(error === undefined ? { state: 'known', value: result } : { state: 'unknown', reason: error })
      }
      const onError = (error: unknown): void => lose(messageOf(error))
      let begunAt: number | undefined
      let timer = this.#isReady
        ? begin()
        : clock.timer(STARTS_WITHIN_MS, () => lose('The thread of checks did not start in time.'))
      worker.ref()
      worker.on('message', onMessage).on('error', onError)
      worker.postMessage({ id, request })
    })
  }

  #workerNow(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(this.#deps.program, {
      execArgv: [],
      env: {},
      name: 'parley-checks',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES },
    })
    this.#isReady = false
    worker.once('message', () => {
      this.#isReady = true
    })
    // An error after the check's end must not end the process.
    worker.on('error', () => {
      if (this.#worker === worker) this.#worker = undefined
    })
    this.#worker = worker
    return worker
  }

  #endWhenIdle(lastId: number): void {
    this.#deps.clock.timer(IDLE_MS, () => {
      if (this.#isRunning || lastId !== this.#lastId) return
      void this.#worker?.terminate()
      this.#worker = undefined
    })
  }
}
