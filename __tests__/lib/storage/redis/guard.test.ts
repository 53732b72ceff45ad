import { describe, expect, it } from 'vitest'
import { Circuit } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import { type RedisClient, script } from '#lib/storage/redis/client.ts'
import { GuardedRedis, type RedisResult } from '#lib/storage/redis/guard.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const DEADLINE_MS = 100
const SHORT_DEADLINE_MS = 40
const OPEN_MS = 5_000
const PING = script('ping', 'return 1')

const guarded = () => {
  const clock = new FakeClock()
  const asked: string[] = []
  const told: [string, RedisResult][] = []
  let behave = async (): Promise<unknown> => undefined
  const ask = (what: string) => {
    asked.push(what)
    return behave()
  }
  const client: RedisClient = {
    get: async key => (await ask(`get ${key}`)) as string | undefined,
    set: async key => void (await ask(`set ${key}`)),
    delete: async key => void asked.push(`delete ${key}`),
    run: ({ name }) => ask(name),
    opened: async () => {},
    close: () => {},
  }
  const circuit = new Circuit({
    tripCondition: consecutive(10),
    openMs: OPEN_MS,
    longestOpenMs: 60_000,
    probeAgainMs: OPEN_MS,
    clock,
    random: () => 0,
    onChange: () => {},
  })
  const redis = new GuardedRedis({
    client,
    circuit,
    clock,
    deadlineMs: DEADLINE_MS,
    shortDeadlineMs: SHORT_DEADLINE_MS,
    listener: (operation, result) => told.push([operation, result]),
  })
  const does = (behaviour: typeof behave) => {
    behave = behaviour
  }
  const fails = (message: string) => does(() => Promise.reject(new Error(message)))
  const hangs = () => does(() => new Promise(() => {}))
  return { redis, circuit, clock, asked, told, does, fails, hangs }
}

/** How a promise has ended, as text. */
const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    value => `gave ${String(value)}`,
    (error: Error) => `${error.name}: ${error.message}`,
  )

describe('a guarded Redis', () => {
  it('passes on what Redis says, and tells how it went', async () => {
    const { redis, does, told } = guarded()
    does(async () => 'value')
    expect(await redis.get('key')).toBe('value')
    expect(told).toEqual([['get', 'ok']])
    expect(redis.status).toMatchObject({ circuit: { name: 'closed' }, latencyMs: 0 })
  })

  it('waits 100 ms and no longer, then 40 until Redis has replied again', async () => {
    const { redis, clock, hangs, does, told } = guarded()
    hangs()
    const first = outcome(redis.get('key'))
    await clock.advance(DEADLINE_MS)
    expect(await first).toBe('RedisFault: no reply within 100 ms')
    const second = outcome(redis.get('key'))
    await clock.advance(SHORT_DEADLINE_MS)
    expect(await second).toBe('RedisFault: no reply within 40 ms')
    does(async () => 'back')
    await redis.get('key')
    hangs()
    const third = outcome(redis.get('key'))
    await clock.advance(DEADLINE_MS - 1)
    expect(told.at(-1)).toEqual(['get', 'ok'])
    await clock.advance(1)
    expect(await third).toContain('100 ms')
  })

  it('leaves no timer', async () => {
    const { redis, clock, fails, does } = guarded()
    does(async () => 'value')
    await redis.get('key')
    fails('OOM command not allowed')
    await outcome(redis.get('key'))
    expect(clock.pending).toBe(0)
  })

  it('sends nothing more after ten failures in a row', async () => {
    const { redis, fails, asked, told } = guarded()
    fails('connect ECONNREFUSED')
    for (let tries = 0; tries < 15; tries += 1) await outcome(redis.get('key'))
    expect(asked).toHaveLength(10)
    expect(told.at(-1)).toEqual(['get', 'spared'])
    expect(redis.status.circuit.name).toBe('open')
  })

  it('lets only a probe find out whether Redis is well again', async () => {
    const { redis, fails, does, asked, clock } = guarded()
    fails('connect ECONNREFUSED')
    for (let tries = 0; tries < 10; tries += 1) await outcome(redis.get('key'))
    does(async () => 'back')
    await clock.advance(OPEN_MS)
    expect(await outcome(redis.get('key'))).toContain('not called for now')
    expect(asked).toHaveLength(10)
    expect(await redis.probe(PING, [], [])).toBe('back')
    expect(await redis.get('key')).toBe('back')
  })

  it('probes every five seconds, however often that failed', async () => {
    const { redis, fails, asked, clock } = guarded()
    fails('connect ECONNREFUSED')
    for (let tries = 0; tries < 10; tries += 1) await outcome(redis.get('key'))
    for (let probes = 1; probes <= 20; probes += 1) {
      await clock.advance(OPEN_MS)
      await outcome(redis.probe(PING, [], []))
      expect(asked).toHaveLength(10 + probes)
    }
  })

  it('F18: calls a flapping Redis after longer and longer cooldowns', async () => {
    const { redis, circuit, fails, does, clock } = guarded()
    const rests: number[] = []
    for (let flaps = 0; flaps < 5; flaps += 1) {
      fails('connect ECONNREFUSED')
      for (let tries = 0; tries < 10; tries += 1) await outcome(redis.get('key'))
      if (circuit.state.name !== 'open') throw new Error('it should have opened')
      rests.push(circuit.state.until - clock.now())
      does(async () => 'back')
      await clock.advance(circuit.state.until - clock.now())
      await redis.probe(PING, [], [])
      await clock.advance(500)
    }
    expect(rests).toEqual([5_000, 10_000, 20_000, 40_000, 60_000])
  })

  it('F19: takes what is no text for not there, and deletes it', async () => {
    const { redis, fails, asked, told } = guarded()
    fails('WRONGTYPE Operation against a key holding the wrong kind of value')
    expect(await redis.get('key')).toBeUndefined()
    expect(asked).toEqual(['get key', 'delete key'])
    expect(told).toEqual([['get', 'ok']])
  })

  it.each([
    'OOM command not allowed when used memory > maxmemory.',
    'READONLY You can’t write against a read only replica.',
    'LOADING Redis is loading the dataset in memory',
    'BUSY Redis is busy running a script.',
    'MISCONF Redis is configured to save RDB snapshots',
  ])('F19: counts %s as a failure, until the same or a probe succeeds', async message => {
    const { redis, fails, does } = guarded()
    fails(message)
    const word = message.split(' ')[0] ?? ''
    expect(await outcome(redis.set('key', 'value', 1))).toBe(`RedisFault: ${word}`)
    expect([...redis.status.failing]).toEqual([['set', word]])
    does(async () => 'fine')
    await redis.get('key')
    expect(redis.status.failing.size).toBe(1)
    await redis.set('key', 'value', 1)
    expect(redis.status.failing.size).toBe(0)
    fails(message)
    await outcome(redis.set('key', 'value', 1))
    does(async () => 'fine')
    await redis.probe(PING, [], [])
    expect(redis.status.failing.size).toBe(0)
  })

  it('says nothing of what was asked: errors over REST quote the whole command', async () => {
    const { redis, fails } = guarded()
    fails('ERR unknown, command was: ["set","key","a secret answer"]')
    expect(await outcome(redis.set('key', 'a secret answer', 1))).toBe('RedisFault: ERR')
  })
})
