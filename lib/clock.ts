/** The gateway's source of time. Passed in everywhere, so that tests can control it. */
export interface Clock {
  /** Milliseconds since the Unix epoch; never runs backwards, also when the wall clock is set back. */
  now(): number
  /** Runs `task` after `delayMs`. A pending timer does not keep the process alive. */
  timer(delayMs: number, task: () => void): Timer
}

/** A day in milliseconds. */
export const DAY_MS = 86_400_000

/** A clock time as ISO 8601 in UTC, as it is written in answers. */
export const isoTime = (at: number): string => new Date(at).toISOString()

/** `isoTime` of a time that may be unknown; null where it is. */
export const isoTimeOrNull = (at: number | undefined): string | null =>
  at === undefined ? null : isoTime(at)

export interface Timer {
  /** Restarts the delay, also of a timer that has fired. */
  refresh(): void
  cancel(): void
}

const { timeOrigin } = performance

export const systemClock: Clock = {
  now: () => timeOrigin + performance.now(),
  timer: (delayMs, task) => {
    const handle = setTimeout(task, delayMs)
    handle.unref()
    return { refresh: () => void handle.refresh(), cancel: () => clearTimeout(handle) }
  },
}

const ALIVE_MS = 3_600_000

/**
 * Keeps the process alive until `work` has settled, which pending timers of the clock do not. Without it, Node exits
 * with code 0 as soon as only such timers are pending.
 */
export const keptAlive = async <T>(work: Promise<T>): Promise<T> => {
  const handle = setInterval(() => {}, ALIVE_MS)
  try {
    return await work
  } finally {
    clearInterval(handle)
  }
}

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it aborts. */
export const sleep = (clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal.reason)
    }
    const timer = clock.timer(delayMs, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    signal.addEventListener('abort', onAbort, { once: true })
  })

const NEVER = new AbortController().signal

/** Does a task now, and again at an interval after its end, as long as the process lives. A failed one is reported. */
export const repeat = async (
  { clock, everyMs, onError }: Readonly<{ clock: Clock; everyMs: number; onError: (error: unknown) => void }>,
  task: (round: number) => Promise<unknown>,
): Promise<never> => {
  for (let round = 0; ; round += 1) {
    await task(round).catch(onError)
    await sleep(clock, everyMs, NEVER)
  }
}
