import { describe, expect, it } from 'vitest'
import { Circuit } from '#lib/resilience/breaker/circuit.ts'
import { consecutive } from '#lib/resilience/breaker/trip-condition.ts'
import type { RedisClient } from '#lib/storage/redis/client.ts'
import { GuardedRedis } from '#lib/storage/redis/guard.ts'
import { Peers } from '#lib/storage/redis/peers.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const BEAT_MS = 1_000

const peers = () => {
  const clock = new FakeClock()
  const ran: string[] = []
  const heard: [string, number][] = []
  let reply = async (): Promise<unknown> => [1]
  const client: RedisClient = {
    get: async () => undefined,
    set: async () => {},
    delete: async () => {},
    run: ({ name }) => {
      ran.push(name)
      return reply()
    },
    opened: async () => {},
    close: () => {},
  }
  const redis = new GuardedRedis({
    client,
    circuit: new Circuit({
      tripCondition: consecutive(1),
      openMs: 5_000,
      longestOpenMs: 5_000,
      clock,
      random: () => 0,
      onChange: () => {},
    }),
    clock,
    deadlineMs: 100,
    shortDeadlineMs: 40,
    listener: () => {},
  })
  const group = new Peers({
    redis,
    id: 'me',
    prefix: 'test:',
    beatMs: BEAT_MS,
    clock,
    onNotice: (notice, holdsForMs) => heard.push([notice, holdsForMs]),
  })
  const answers = (behaviour: () => Promise<unknown>) => {
    reply = behaviour
  }
  return { group, clock, ran, heard, answers, redis }
}

describe('gateways that share a Redis', () => {
  it('know how many they are, and believe it while Redis is away', async () => {
    const { group, clock, answers } = peers()
    expect(group.count).toBe(1)
    answers(async () => [3])
    await group.start()
    expect(group.count).toBe(3)
    answers(() => Promise.reject(new Error('ECONNREFUSED')))
    await clock.advance(60_000)
    expect(group.count).toBe(3)
  })

  it('do not believe at once that the others have gone: a Redis that comes back knows no peers', async () => {
    const { group, clock, answers } = peers()
    answers(async () => [3])
    await group.start()
    answers(async () => [1])
    await clock.advance(BEAT_MS)
    expect(group.count).toBe(3)
    await clock.advance(5 * BEAT_MS)
    expect(group.count).toBe(1)
  })

  it('receive a message of another once, and again when it is sent anew', async () => {
    const { group, clock, heard, answers } = peers()
    let until = clock.now() + 10_000
    answers(async () => [2, 'notice', until - clock.now()])
    await group.start()
    await clock.advance(5 * BEAT_MS)
    expect(heard).toEqual([['notice', 10_000]])
    until = clock.now() + 20_000
    await clock.advance(2 * BEAT_MS)
    expect(heard).toHaveLength(2)
  })

  it('do not hear themselves', async () => {
    const { group, clock, heard, answers } = peers()
    await group.start()
    await group.send('mine', 10_000)
    const until = clock.now() + 10_000
    answers(async () => [1, 'mine', until - clock.now()])
    await clock.advance(5 * BEAT_MS)
    expect(heard).toEqual([])
  })

  it('ignore malformed messages', async () => {
    const { group, clock, heard, answers } = peers()
    answers(async () => ['x', 'notice', 'y', 'odd'])
    await group.start()
    answers(async () => 'text')
    await clock.advance(BEAT_MS)
    expect(heard).toEqual([])
    expect(group.count).toBe(1)
  })

  it('ask a Redis in cooldown as soon as that is over, and not before', async () => {
    const { group, clock, ran, answers } = peers()
    answers(() => Promise.reject(new Error('ECONNREFUSED')))
    await group.start()
    await clock.advance(4_999)
    expect(ran).toEqual(['beat'])
    await clock.advance(1)
    expect(ran).toEqual(['beat', 'beat'])
  })

  it('stop when asked to', async () => {
    const { group, clock } = peers()
    await group.start()
    group.stop()
    expect(clock.pending).toBe(0)
  })
})
