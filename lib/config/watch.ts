import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../clock.ts'

const QUIET_MS = 100
/** For file systems that tell of nothing, and for links into directories that are not watched. */
const ANYWAY_MS = 5_000

/**
 * Calls `look` when the file may have changed: after anything happened in its directory, which also sees a file
 * that is replaced and the links that Kubernetes swaps; on SIGHUP; and every five seconds. `look` compares by itself.
 *
 * @returns what ends it
 */
export const watchConfig = (path: string, clock: Clock, look: () => void): (() => void) => {
  let settling: ReturnType<Clock['timer']> | undefined
  const onEvent = () => {
    settling?.cancel()
    settling = clock.timer(QUIET_MS, look)
  }
  let listener: FSWatcher | undefined
  try {
    listener = watch(dirname(path), { persistent: false }, onEvent)
    // The directory itself may go; looking every five seconds goes on.
    listener.on('error', () => listener?.close())
  } catch {
    listener = undefined
  }
  const anyway = clock.timer(ANYWAY_MS, () => {
    look()
    anyway.refresh()
  })
  process.on('SIGHUP', look)
  return () => {
    listener?.close()
    settling?.cancel()
    anyway.cancel()
    process.off('SIGHUP', look)
  }
}
