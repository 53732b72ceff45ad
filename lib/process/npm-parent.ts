import { runScriptOfNpm } from '../config/env.ts'

const CHECK_MS = 500

/** Read as early as possible: an npm that has already ended cannot be distinguished from one that never existed. */
const parentPid = process.ppid

/** The npm process that runs this one as its script. */
export type NpmParent = Readonly<{
  /** Aborts when npm has ended, which the system shows by giving this process another parent. */
  ended: AbortSignal
}>

/**
 * The npm that started this process by a script of package.json; undefined where it was started in another way.
 * npm forwards SIGTERM and SIGINT, but ends alone on SIGHUP and SIGKILL, and its script would run for ever.
 */
export const npmParent = (): NpmParent | undefined => {
  if (!runScriptOfNpm()) return undefined
  const ended = new AbortController()
  const timer = setInterval(() => {
    if (process.ppid === parentPid) return
    clearInterval(timer)
    ended.abort()
  }, CHECK_MS)
  timer.unref()
  return { ended: ended.signal }
}
