import { systemClock } from './clock.ts'

/** How long code may run in one turn of the event loop, in ms. */
const SLICE_MS = 10

const waiting: (() => void)[] = []
/** When work began in this turn of the event loop; absent where none has. */
let beganAt: number | undefined

const endOfTurn = (): void => {
  // One at a time: what waits for I/O is looked at between two of them.
  const next = waiting.shift()
  beganAt = undefined
  if (!next) return
  beginTurn()
  next()
}

const beginTurn = (): void => {
  beganAt = systemClock.now()
  setImmediate(endOfTurn)
}

/**
 * To be awaited in every loop whose steps may end without I/O. Once such loops, all of the process together, have run
 * for 10 ms, each goes on in a later turn of the event loop, so that all else gets its turn; until then it returns
 * nothing.
 *
 * @example
 * for (const item of items) {
 *   work(item)
 *   await yieldIfDue()
 * }
 */
export const yieldIfDue = (): Promise<void> | undefined => {
  if (beganAt === undefined) beginTurn()
  else if (waiting.length > 0 || systemClock.now() - beganAt >= SLICE_MS)
    return new Promise(resolve => {
      waiting.push(resolve)
    })
  return undefined
}
