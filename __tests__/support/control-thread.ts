/** Beside a process's event loop: wakes up again and again, and tells how the machine treats a thread that does little. */
import { isMainThread, Worker, workerData } from 'node:worker_threads'
import { slownessOf, timeOfWork } from './machine-speed.ts'

const PERIOD_MS = 5
/** At a wake-up every 5 ms, those of the last ten seconds. */
const KEPT = 2_000
const LATE = 0
const COUNT = 1
const FIRST = 2

/** What it has seen until a moment. */
export type Seen = Readonly<{ lateMs: number; count: number }>

/** Seen from the event loop's thread. */
export class ControlThread {
  readonly #memory = new Float64Array(new SharedArrayBuffer((FIRST + KEPT) * Float64Array.BYTES_PER_ELEMENT))

  constructor() {
    new Worker(new URL(import.meta.url), { workerData: this.#memory, execArgv: [], env: {} }).unref()
  }

  /** `lateMs`: for how long, all in all, it has been late, so that the machine as a whole stood still. */
  seen(): Seen {
    return { lateMs: this.#memory[LATE] ?? 0, count: this.#memory[COUNT] ?? 0 }
  }

  /** How many times as long as on a quiet machine the same work has taken since then, at least 1. */
  slownessSince({ count }: Seen): number {
    const now = this.seen().count
    const first = Math.max(count, now - KEPT)
    return slownessOf(
      Array.from({ length: now - first }, (_, n) => this.#memory[FIRST + ((first + n) % KEPT)] ?? 0),
    )
  }
}

const watch = (memory: Float64Array): never => {
  const nap = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  for (let last = performance.now(); ; ) {
    Atomics.wait(nap, 0, 0, PERIOD_MS)
    const now = performance.now()
    if (now - last > 2 * PERIOD_MS) memory[LATE] = (memory[LATE] ?? 0) + now - last - PERIOD_MS
    const count = memory[COUNT] ?? 0
    memory[FIRST + (count % KEPT)] = timeOfWork()
    memory[COUNT] = count + 1
    last = now
  }
}

if (!isMainThread && workerData instanceof Float64Array) watch(workerData)
