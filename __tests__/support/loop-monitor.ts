/**
 * Preloaded into a gateway (`node --import`): measures for how long its event loop runs nothing else, and appends every
 * block of at least 20 ms as a line of JSON to the file named by LOOP_MONITOR_FILE. Read by `loop-delays.ts`.
 */
import { appendFileSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

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
}>

const PERIOD_MS = 5
const REPORTED_FROM_MS = 20
const STEAL_PERIOD_MS = 100
/** Of /proc/stat, which counts in hundredths of a second. */
const MS_PER_TICK = 10

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

/** CPU time that the host below this virtual machine gave to others. */
const stolenTimeMs = (): number => {
  try {
    const [total = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
    return Number(total.split(/\s+/)[8] ?? 0) * MS_PER_TICK
  } catch {
    return 0
  }
}

const watch = (file: string): void => {
  findThreads()
  let stolen = stolenTimeMs()
  let stolenAt = performance.now()
  let last = { at: performance.now(), cpu: cpuTimeMs(), waiting: runQueues() }

  const measure = (): void => {
    const now = { at: performance.now(), cpu: cpuTimeMs(), waiting: runQueues() }
    const lateMs = now.at - last.at - PERIOD_MS
    if (lateMs >= REPORTED_FROM_MS) {
      const cpuMs = now.cpu - last.cpu
      const withheldMs = longestWaitMs(last.waiting, now.waiting) + stolenTimeMs() - stolen
      // What the thread itself has computed is never the machine's doing.
      const blockedMs = Math.min(lateMs, Math.max(cpuMs, lateMs - withheldMs))
      const block: Block = { at: Date.now(), lateMs, blockedMs, cpuMs }
      if (blockedMs >= REPORTED_FROM_MS) appendFileSync(file, `${JSON.stringify(block)}\n`)
    }
    if (now.at - stolenAt > STEAL_PERIOD_MS) {
      stolen = stolenTimeMs()
      stolenAt = now.at
      findThreads()
    }
    last = { at: performance.now(), cpu: cpuTimeMs(), waiting: runQueues() }
    setTimeout(measure, PERIOD_MS).unref()
  }
  setTimeout(measure, PERIOD_MS).unref()
}

if (isMainThread && process.env.LOOP_MONITOR_FILE) watch(process.env.LOOP_MONITOR_FILE)
