import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { redisWorkSignal } from '#lib/batch/work-signal/redis.ts'
import type { WorkSignal } from '#lib/batch/work-signal/work-signal.ts'
import { localWorkSignal } from '#lib/batch/work-signal/work-signal.ts'
import { RedisServer } from '../support/redis.ts'

let server: RedisServer
const open: WorkSignal[] = []
const errors: Error[] = []

beforeAll(async () => {
  server = await RedisServer.start()
})
beforeEach(() => server.do('FLUSHALL'))
afterEach(async () => {
  for (const workSignal of open.splice(0)) await workSignal.close()
})
afterAll(() => server.kill())

const overRedis = (): WorkSignal => redisWorkSignal({ url: server.url, onError: error => errors.push(error) })

const KINDS: readonly (readonly [string, () => WorkSignal])[] = [
  ['in one process', localWorkSignal],
  ['over Redis', overRedis],
]

const opened = (make: () => WorkSignal): WorkSignal => {
  const workSignal = make()
  open.push(workSignal)
  return workSignal
}

/** A worker that can be held up. */
const worker = (workSignal: WorkSignal) => {
  const received = { calls: 0, atOnce: 0, most: 0 }
  let free = Promise.resolve()
  workSignal.onWork(async () => {
    received.calls += 1
    received.atOnce += 1
    received.most = Math.max(received.most, received.atOnce)
    await free
    received.atOnce -= 1
  })
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    free = promise
    return resolve
  }
  return { received, hold }
}

const until = async (isSo: () => boolean): Promise<void> => {
  await expect.poll(isSo, { timeout: 60_000, interval: 10 }).toBe(true)
}

/** Notifies every 100 ms until the worker is called once more. */
const untilNotified = async (workSignal: WorkSignal, received: { calls: number }): Promise<void> => {
  const before = received.calls
  for (const deadline = Date.now() + 60_000; received.calls === before; await sleep(100)) {
    if (Date.now() > deadline) throw new Error('no worker was called within a minute')
    workSignal.notify(1)
  }
}

describe.each(KINDS)('a work signal %s', (_, make) => {
  it('calls a worker, again and again', async () => {
    const workSignal = opened(make)
    const { received } = worker(workSignal)
    workSignal.notify(1)
    await until(() => received.calls === 1)
    workSignal.notify(1)
    await until(() => received.calls === 2)
  })

  it('calls all workers where there is work for all', async () => {
    const workSignal = opened(make)
    const workers = [worker(workSignal), worker(workSignal), worker(workSignal)]
    const release = workers.map(({ hold }) => hold())
    // Over Redis each subscribes by a connection of its own: when that is done has no signal.
    await sleep(100)
    workSignal.notify(50)
    await until(() => workers.every(({ received }) => received.calls > 0))
    for (const go of release) go()
  })
})

describe('a work signal over Redis', () => {
  it('calls a worker of another process, once at a time, until it lets go', async () => {
    const { received, hold } = worker(opened(overRedis))
    const release = hold()
    opened(overRedis).notify(5)
    await until(() => received.calls === 1)
    // Real time: that no further call comes has no signal.
    await sleep(200)
    expect(received).toMatchObject({ calls: 1, most: 1 })
    release()
    await until(() => received.calls === 5)
    expect(received.most).toBe(1)
  })

  it('reaches no worker while Redis is away, and does again when it is back', async () => {
    const workSignal = opened(overRedis)
    const { received } = worker(opened(overRedis))
    workSignal.notify(1)
    await until(() => received.calls === 1)
    await server.kill()
    workSignal.notify(1)
    await until(() => errors.length > 0)
    await server.up()
    await untilNotified(workSignal, received)
  })

  it('reaches a worker again after everything in Redis was deleted', async () => {
    const workSignal = opened(overRedis)
    const { received } = worker(opened(overRedis))
    workSignal.notify(1)
    await until(() => received.calls === 1)
    await server.do('FLUSHALL')
    await untilNotified(workSignal, received)
  })
})
