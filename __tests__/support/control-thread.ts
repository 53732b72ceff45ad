/** Beside a process's event loop: wakes up again and again, and tells how the machine treats a thread that does little. */
import { Worker } from 'node:worker_threads'
import { slownessOf, TEXT, timeOfWork } from './machine-speed.ts'

/** Where the thread writes: for how long it has been late, how often it has worked, and the latest times of that. */
const LAYOUT = { late: 0, count: 1, first: 2, kept: 2_000 }
const PERIOD_MS = 5

/** What it has seen until a moment. */
export type Seen = Readonly<{ lateMs: number; count: number }>

const watch = (
  memory: Float64Array,
  work: (text: string) => number,
  text: string,
  { late, count, first, kept }: typeof LAYOUT,
  periodMs: number,
): never => {
  const nap = new Int32Array(new SharedArrayBuffer(4))
  for (let last = performance.now(), worked = 0; ; worked += 1) {
    Atomics.wait(nap, 0, 0, periodMs)
    const now = performance.now()
    if (now - last > 2 * periodMs) memory[late] = (memory[late] ?? 0) + now - last - periodMs
    memory[first + (worked % kept)] = work(text)
    memory[count] = worked + 1
    last = now
  }
}

/** The thread's program as text: the process may have no more files to read a module from. */
const PROGRAM = `(${watch})(require('node:worker_threads').workerData, ${timeOfWork}, ${JSON.stringify(TEXT)}, ${JSON.stringify(LAYOUT)}, ${PERIOD_MS})`

/** Seen from the event loop's thread. */
export class ControlThread {
  readonly #memory = new Float64Array(
    new SharedArrayBuffer((LAYOUT.first + LAYOUT.kept) * Float64Array.BYTES_PER_ELEMENT),
  )

  constructor() {
    new Worker(PROGRAM, { eval: true, workerData: this.#memory, execArgv: [], env: {} }).unref()
  }

  /** `lateMs`: for how long, all in all, it has been late, so that the machine as a whole stood still. */
  seen(): Seen {
    return { lateMs: this.#memory[LAYOUT.late] ?? 0, count: this.#memory[LAYOUT.count] ?? 0 }
  }

  /** How many times as long as on a quiet machine the same work has taken since then, at least 1. */
  slownessSince({ count }: Seen): number {
    const now = this.seen().count
    const from = Math.max(count, now - LAYOUT.kept)
    const times = Array.from(
      { length: now - from },
      (_, n) => this.#memory[LAYOUT.first + ((from + n) % LAYOUT.kept)] ?? 0,
    )
    return slownessOf(times)
  }
}
