import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A script of this folder in a process of its own. It exits with its parent. */
export function startWorker(script: string): ChildProcess {
  const worker = fork(join(import.meta.dirname, script), { execArgv: [] })
  worker.on('exit', code => {
    if (code) process.stderr.write(`bench/${script} ended with code ${code}\n`)
    if (code) process.exit(1)
  })
  return worker
}

/** The next message of a worker; the caller names its type, since both ends are in this folder. */
export async function nextMessage<Message>(worker: ChildProcess): Promise<Message> {
  const [message] = await once(worker, 'message')
  return message as Message
}

/** Sends a worker an order and waits for its result. */
export function askWorker<Result>(worker: ChildProcess, order: Serializable): Promise<Result> {
  const result = nextMessage<Result>(worker)
  worker.send(order)
  return result
}
