import { type FSWatcher, watch } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../clock.ts'

const QUIET_MS = 100
/** For file systems without change events, and for links into unwatched directories. */
const ANYWAY_MS = 5_000

/**
 * Calls `look` when the file may have changed: after any event in its directory, which covers a replaced file and the
 * links that Kubernetes swaps; on SIGHUP; and every five seconds. `look` compares the content itself.
 */
export const watchConfig = (path: string, clock: Clock, look: () => void): void => {
  let settling: ReturnType<Clock['timer']> | undefined
  const onEvent = () => {
    settling?.cancel()
    settling = clock.timer(QUIET_MS, look)
  }
  let listener: FSWatcher | undefined
  try {
    listener = watch(dirname(path), { persistent: false }, onEvent)
    // The directory itself may be removed; polling every five seconds continues.
    listener.on('error', () => listener?.close())
  } catch {
    listener = undefined
  }
  const anyway = clock.timer(ANYWAY_MS, () => {
    look()
    anyway.refresh()
  })
  process.on('SIGHUP', look)
}
