import { describe, expect, it } from 'vitest'
import { ReconnectBackoff } from '../../app/(console)/gateway/reconnect-backoff.ts'

const pausesOf = (patience: ReconnectBackoff): number[] => {
  const pauses: number[] = []
  for (let pause = patience.next(); pause !== undefined; pause = patience.next()) pauses.push(pause)
  return pauses
}

describe('the backoff after a lost connection', () => {
  it('waits longer each time, and less than the 15 s a gateway waits altogether', () => {
    const pauses = pausesOf(new ReconnectBackoff(() => 0))
    expect(pauses.length).toBeGreaterThan(3)
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b))
    expect(pauses.reduce((sum, pause) => sum + pause)).toBeLessThan(15_000)
  })

  it('spreads those who lost it at the same moment over a quarter of each pause', () => {
    expect(pausesOf(new ReconnectBackoff(() => 1, [100, 200]))).toEqual([75, 150])
  })

  it('begins anew once something has come', () => {
    const patience = new ReconnectBackoff(() => 0, [1, 2])
    expect(pausesOf(patience)).toEqual([1, 2])
    patience.renew()
    expect(pausesOf(patience)).toEqual([1, 2])
  })
})
