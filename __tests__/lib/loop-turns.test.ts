import { setImmediate as loopRound } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { LoopTurns } from '#lib/loop-turns.ts'

const SLICE_MS = 10

/** Turns by a clock that only work moves on. */
const scene = () => {
  let now = 0
  const turns = new LoopTurns(() => now, SLICE_MS)
  const rounds: number[] = []
  let round = 0
  let counting = true
  const countRounds = async () => {
    for (; counting; round += 1) await loopRound()
  }
  const counted = countRounds()
  const step = async (ms: number) => {
    const wait = turns.turn()
    if (wait) await wait
    rounds.push(round)
    now += ms
  }
  const end = async () => {
    counting = false
    await counted
  }
  return { turns, step, rounds, end, count: () => round, spend: (ms: number) => (now += ms) }
}

/** How often each round of the event loop occurs. */
const perRound = (rounds: readonly number[]): number[] => {
  const counts = new Map<number, number>()
  for (const round of rounds) counts.set(round, (counts.get(round) ?? 0) + 1)
  return [...counts.values()]
}

describe('turns of the event loop', () => {
  it('need not be waited for while the slice lasts', () => {
    const { turns, spend } = scene()
    expect(turns.turn()).toBeUndefined()
    spend(SLICE_MS - 1)
    expect(turns.turn()).toBeUndefined()
  })

  it('have to be waited for from then on', () => {
    const { turns, spend } = scene()
    turns.turn()
    spend(SLICE_MS)
    expect(turns.turn()).toBeInstanceOf(Promise)
  })

  it('let the loop come round after 10 ms of one work', async () => {
    const { step, rounds, end } = scene()
    for (let count = 0; count < 100; count += 1) await step(1)
    await end()
    expect(rounds).toHaveLength(100)
    expect(Math.max(...perRound(rounds))).toBeLessThanOrEqual(SLICE_MS)
  })

  it('are shared by all works: 1,000 that each take 1 ms do at most ten in one round', async () => {
    const { step, rounds, end } = scene()
    await Promise.all(Array.from({ length: 1_000 }, () => step(1)))
    await end()
    expect(rounds).toHaveLength(1_000)
    expect(Math.max(...perRound(rounds))).toBeLessThanOrEqual(SLICE_MS)
  })

  it('are given to no more than 128 in one round, whose work may only follow', async () => {
    const { turns, end, count } = scene()
    const rounds: number[] = []
    const stepThatWorksLater = async () => {
      await turns.turn()
      rounds.push(count())
    }
    await Promise.all(Array.from({ length: 1_000 }, stepThatWorksLater))
    await end()
    expect(rounds).toHaveLength(1_000)
    expect(Math.max(...perRound(rounds))).toBeLessThanOrEqual(128)
  })

  it('come in the order of asking, also to who asks while others wait', async () => {
    const { turns, spend, end } = scene()
    const order: string[] = []
    const ask = async (name: string) => {
      await turns.turn()
      order.push(name)
    }
    turns.turn()
    spend(SLICE_MS)
    const waiting = [ask('first'), ask('second')]
    await loopRound()
    await Promise.all([...waiting, ask('third')])
    await end()
    expect(order).toEqual(['first', 'second', 'third'])
  })

  it('come also to those whose every step takes longer than a slice, one in each round', async () => {
    const { step, rounds, end } = scene()
    await Promise.all(Array.from({ length: 5 }, () => step(3 * SLICE_MS)))
    await end()
    expect(Math.max(...perRound(rounds))).toBe(1)
  })

  it('leave the loop to itself when no task waits', async () => {
    const { step, spend, turns, end } = scene()
    await Promise.all(Array.from({ length: 50 }, () => step(5)))
    await loopRound()
    await loopRound()
    spend(100)
    expect(turns.turn()).toBeUndefined()
    await end()
  })
})
