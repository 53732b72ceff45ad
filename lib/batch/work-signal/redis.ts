import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import type { WorkSignal } from './work-signal.ts'

export type RedisWorkSignalOptions = Readonly<{
  url: string
  /** Called when Redis fails, possibly often with the same error. */
  onError: (error: Error) => void
}>

const NAME = 'batch'
const PREFIX = 'parley'
/** Signals per notification: further workers find their work when they next poll. */
const MOST_CALLS = 32
const LONGEST_RECONNECT_MS = 1_000

const connect = (url: string, retriesForever: boolean): Redis =>
  new Redis(url, {
    connectionName: 'parley batch',
    // A worker waits for Redis indefinitely; a signal that cannot be sent now is dropped.
    maxRetriesPerRequest: retriesForever ? null : 0,
    retryStrategy: tries => Math.min(LONGEST_RECONNECT_MS, 50 * 2 ** Math.min(tries, 10)),
  })

/**
 * A work signal for all workers on one Redis: a BullMQ queue of signals. A signal goes to one worker, which holds it
 * until it finds no more work; those of a worker that dies go to another one.
 */
export const redisWorkSignal = ({ url, onError }: RedisWorkSignalOptions): WorkSignal => {
  const connection = connect(url, false)
  const queue = new Queue(NAME, {
    connection,
    prefix: PREFIX,
    skipWaitingForReady: true,
    skipMetasUpdate: true,
  })
  queue.on('error', onError)
  const workers: { worker: Worker; connection: Redis }[] = []
  const call = { name: 'call', data: {}, opts: { removeOnComplete: true, removeOnFail: true } }

  return {
    notify: items => {
      const calls = Array.from({ length: Math.min(items, MOST_CALLS) }, () => call)
      queue.addBulk(calls).catch(onError)
    },
    onWork: drain => {
      const own = connect(url, true)
      const worker = new Worker(NAME, drain, { connection: own, prefix: PREFIX, concurrency: 1 })
      worker.on('error', onError)
      workers.push({ worker, connection: own })
    },
    async close() {
      for (const { worker, connection: own } of workers) {
        await worker.close(true).catch(onError)
        own.disconnect()
      }
      await queue.close().catch(onError)
      connection.disconnect()
    },
  }
}
