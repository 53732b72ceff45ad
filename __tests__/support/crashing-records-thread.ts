import { parentPort } from 'node:worker_threads'
import type { ToThread } from '#lib/storage/records/sqlite/messages.ts'

/** A request with a statement that holds this ends the thread. */
export const CRASH = 'crash of the thread'
/** A request with a statement that holds this makes the thread hang for 17 s before it runs. */
export const HANG = 'hang of the thread'
const HANG_MS = 17_000

const misbehave = (message: ToThread): void => {
  const asked = 'statements' in message ? message.statements.map(({ sql }) => sql).join() : ''
  if (asked.includes(CRASH)) throw new Error('the thread has crashed')
  if (asked.includes(HANG)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANG_MS)
}

/** The records' own thread, which ends or hangs where a test asks for it. */
if (parentPort) {
  const on: (name: string, listen: (message: ToThread) => void) => unknown = parentPort.on.bind(parentPort)
  const listening = (name: string, listen: (message: ToThread) => void) =>
    on(name, message => {
      misbehave(message)
      listen(message)
    })
  Object.assign(parentPort, { on: listening })
  await import('#lib/storage/records/sqlite/thread.ts')
}
