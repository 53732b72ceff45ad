/**
 * Preloaded into a gateway (`node --import`): measures for how long its event loop runs nothing else, and appends every
 * block of at least 20 ms as a line of JSON to the file named by LOOP_MONITOR_FILE. Read by `loop-delays.ts`. Begins once
 * there is such a file, and says so by an empty line: to measure takes a tenth of a core from the tests beside it.
 */
import { existsSync, openSync, readdirSync, readSync, watch, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { ControlThread } from './control-thread.ts'

/** A time for which a timer that was due did not run. */
export type Block = Readonly<{
  /** When it ended, in ms since 1970. */
  at: number
  /** How late the timer was. */
  lateMs: number
  /** The part of it that the process answers for: what the machine withheld is taken off. */
  blockedMs: number
  /** The CPU time that the event loop's own thread used meanwhile. */
  cpuMs: number
  /** How many times as long as on a quiet machine the same work took meanwhile, at least 1. */
  slowness: number
}>

const PERIOD_MS = 5
const REPORTED_FROM_MS = 20
const THREADS_PERIOD_MS = 100

const cpuTimeMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const runQueueMs = (file: number): number => {
  try {
    return (
      Number(buffer.toString('latin1', 0, readSync(file, buffer, 0, buffer.length, 0)).split(' ')[1]) / 1e6
    )
  } catch {
    return 0 // The thread has ended.
  }
}

/**
 * How long each thread of this process has been ready to run without a CPU being given to it. All of them, since the
 * event loop's own one waits for its helpers while garbage is collected. Empty where the system does not say.
 */
const runQueues = (): ReadonlyMap<string, number> => {
  const times = new Map<string, number>()
  for (const [thread, file] of threads) times.set(thread, runQueueMs(file))
  return times
}

const buffer = Buffer.alloc(128)
const threads = new Map<string, number>()

const findThreads = (): void => {
  try {
    for (const thread of readdirSync('/proc/self/task'))
      if (!threads.has(thread)) threads.set(thread, openSync(`/proc/self/task/${thread}/schedstat`, 'r'))
  } catch {
    // Not Linux, or the thread has ended meanwhile.
  }
}

/** The longest time that one of the threads has waited for a CPU since `before`. */
const longestWaitMs = (before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): number =>
  Math.max(0, ...[...now].map(([thread, ms]) => ms - (before.get(thread) ?? ms)))

const measureInto = (path: string): void => {
  // Opened here: later the process may have no more files.
  const file = openSync(path, 'a')
  findThreads()
  const control = new ControlThread()
  let threadsAt = performance.now()
  const look = () => ({
    at: performance.now(),
    cpu: cpuTimeMs(),
    waiting: runQueues(),
    control: control.seen(),
  })
  let last = look()

  const measure = (): void => {
    const now = look()
    const lateMs = now.at - last.at - PERIOD_MS
    if (lateMs >= REPORTED_FROM_MS) {
      const cpuMs = now.cpu - last.cpu
      const withheldMs = Math.max(
        longestWaitMs(last.waiting, now.waiting),
        now.control.lateMs - last.control.lateMs,
      )
      // What the thread itself has computed is never the machine's doing.
      const blockedMs = Math.min(lateMs, Math.max(cpuMs, lateMs - withheldMs))
      const slowness = control.slownessSince(last.control)
      const block: Block = { at: Date.now(), lateMs, blockedMs, cpuMs, slowness }
      if (blockedMs >= REPORTED_FROM_MS) writeSync(file, `${JSON.stringify(block)}\n`)
    }
    if (now.at - threadsAt > THREADS_PERIOD_MS) {
      threadsAt = now.at
      findThreads()
    }
    // Without a second look, which takes as long as all the rest, what is done here is a part of the next wait.
    last = now
    setTimeout(measure, PERIOD_MS).unref()
  }
  setTimeout(measure, PERIOD_MS).unref()
  writeSync(file, '\n')
}

const measureOnceWanted = (path: string): void => {
  const folder = watch(dirname(path), { persistent: false })
  const look = (): void => {
    if (!existsSync(path)) return
    folder.off('change', look).close()
    measureInto(path)
  }
  folder.on('change', look)
  look()
}

if (isMainThread && process.env.LOOP_MONITOR_FILE) measureOnceWanted(process.env.LOOP_MONITOR_FILE)
