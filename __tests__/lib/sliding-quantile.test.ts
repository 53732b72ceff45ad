import { describe, expect, it } from 'vitest'
import { SlidingQuantile } from '#lib/sliding-quantile.ts'
import { seededRandom } from '../support/seeded-random.ts'

const P95 = { share: 0.95, most: 100, least: 20 } as const
const exactly = (values: readonly number[]): number | undefined =>
  values.slice(-100).toSorted((a, b) => a - b)[Math.ceil(Math.min(values.length, 100) * 0.95) - 1]

describe('a quantile of the last values', () => {
  it('is unknown while there are fewer than it needs', () => {
    const quantile = new SlidingQuantile(P95)
    for (let value = 1; value < 20; value += 1) quantile.add(value)
    expect(quantile.value).toBeUndefined()
    quantile.add(20)
    expect(quantile.value).toBe(19)
  })

  it('is exact after every tenth value, and after each that is above it', () => {
    const random = seededRandom(3)
    const quantile = new SlidingQuantile(P95)
    const values: number[] = []
    let above = 0
    for (let turn = 1; turn <= 1_000; turn += 1) {
      const value = Math.floor(random() * (turn < 500 ? 1_000 : 300))
      const before = quantile.value ?? Number.POSITIVE_INFINITY
      values.push(value)
      quantile.add(value)
      if (value > before) above += 1
      if (turn >= 20 && (turn % 10 === 0 || value > before)) expect(quantile.value).toBe(exactly(values))
    }
    expect(above).toBeGreaterThan(10)
  })

  it('is not computed at other times: it stays until the tenth lower value', () => {
    const quantile = new SlidingQuantile({ ...P95, most: 20 })
    for (let value = 1; value <= 20; value += 1) quantile.add(value)
    const seen = Array.from({ length: 20 }, () => {
      quantile.add(0)
      return quantile.value
    })
    expect(seen).toEqual([...Array(9).fill(19), ...Array(10).fill(19), 0])
  })
})
