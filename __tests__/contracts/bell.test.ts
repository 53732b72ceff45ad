import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { redisWorkSignal } from '#lib/batch/work-signal/redis.ts'
import type { WorkSignal } from '#lib/batch/work-signal/work-signal.ts'
import { localWorkSignal } from '#lib/batch/work-signal/work-signal.ts'
import { RedisServer } from '../support/redis.ts'

let server: RedisServer
const open: WorkSignal[] = []
const trouble: Error[] = []

beforeAll(async () => {
  server = await RedisServer.start()
})
beforeEach(() => server.do('FLUSHALL'))
afterEach(async () => {
  for (const bell of open.splice(0)) await bell.close()
})
afterAll(() => server.kill())

const overRedis = (): WorkSignal =>
  redisWorkSignal({ url: server.url, onError: error => trouble.push(error) })

const KINDS: readonly (readonly [string, () => WorkSignal])[] = [
  ['in one process', localWorkSignal],
  ['over Redis', overRedis],
]

const opened = (make: () => WorkSignal): WorkSignal => {
  const bell = make()
  open.push(bell)
  return bell
}

/** A worker that can be held up. */
const worker = (bell: WorkSignal) => {
  const seen = { calls: 0, atOnce: 0, most: 0 }
  let free = Promise.resolve()
  bell.onWork(async () => {
    seen.calls += 1
    seen.atOnce += 1
    seen.most = Math.max(seen.most, seen.atOnce)
    await free
    seen.atOnce -= 1
  })
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    free = promise
    return resolve
  }
  return { seen, hold }
}

const until = async (isSo: () => boolean): Promise<void> => {
  await expect.poll(isSo, { timeout: 60_000, interval: 10 }).toBe(true)
}

/** Rings now and then until it is heard once more. */
const untilHeard = async (bell: WorkSignal, seen: { calls: number }): Promise<void> => {
  const before = seen.calls
  for (const giveUpAt = Date.now() + 60_000; seen.calls === before; await sleep(100)) {
    if (Date.now() > giveUpAt) throw new Error('it was not heard within a minute')
    bell.notify(1)
  }
}

describe.each(KINDS)('a bell %s', (_, make) => {
  it('calls a worker, again and again', async () => {
    const bell = opened(make)
    const { seen } = worker(bell)
    bell.notify(1)
    await until(() => seen.calls === 1)
    bell.notify(1)
    await until(() => seen.calls === 2)
  })

  it('calls all workers where there is work for all', async () => {
    const bell = opened(make)
    const workers = [worker(bell), worker(bell), worker(bell)]
    const release = workers.map(({ hold }) => hold())
    await sleep(100)
    bell.notify(50)
    await until(() => workers.every(({ seen }) => seen.calls > 0))
    for (const go of release) go()
  })
})

describe('a bell over Redis', () => {
  it('calls a worker of another process, once at a time, until it lets go', async () => {
    const { seen, hold } = worker(opened(overRedis))
    const release = hold()
    opened(overRedis).notify(5)
    await until(() => seen.calls === 1)
    await sleep(200)
    expect(seen).toMatchObject({ calls: 1, most: 1 })
    release()
    await until(() => seen.calls === 5)
    expect(seen.most).toBe(1)
  })

  it('rings into the void while Redis is away, and is heard again when it is back', async () => {
    const bell = opened(overRedis)
    const { seen } = worker(opened(overRedis))
    bell.notify(1)
    await until(() => seen.calls === 1)
    await server.kill()
    bell.notify(1)
    await until(() => trouble.length > 0)
    await server.up()
    await untilHeard(bell, seen)
  })

  it('is heard again after everything in Redis was deleted', async () => {
    const bell = opened(overRedis)
    const { seen } = worker(opened(overRedis))
    bell.notify(1)
    await until(() => seen.calls === 1)
    await server.do('FLUSHALL')
    await untilHeard(bell, seen)
  })
})
