import { describe, expect, it } from 'vitest'
import { meanInterval, quantile, shareInterval } from '#lib/evaluation/report/statistics.ts'
import { seededRandom } from '../../support/seeded-random.ts'

describe('the interval of a pass rate', () => {
  it.each([
    [0, 10, 0, 0, 0.2775],
    [5, 10, 0.5, 0.2366, 0.7634],
    [10, 10, 1, 0.7225, 1],
    [81, 263, 0.308, 0.2553, 0.3662],
  ])('of %i in %i is Wilson’s', (count, total, value, low, high) => {
    const interval = shareInterval(count, total)
    expect(interval?.value).toBeCloseTo(value, 3)
    expect(interval?.low).toBeCloseTo(low, 3)
    expect(interval?.high).toBeCloseTo(high, 3)
  })

  it('of nothing is none', () => expect(shareInterval(0, 0)).toBeUndefined())
})

describe('the interval of a mean score', () => {
  it('is the same for the same scores', async () => {
    const scores = Array.from({ length: 50 }, (_, index) => (index % 7) / 7)
    expect(await meanInterval(scores)).toEqual(await meanInterval(scores))
  })

  it('is the value itself where all scores are equal, and none where there are none', async () => {
    expect(await meanInterval([0.4, 0.4])).toEqual({ value: 0.4, low: 0.4, high: 0.4 })
    expect(await meanInterval([])).toBeUndefined()
  })

  it('holds the true mean in about 95 of 100 samples', async () => {
    const random = seededRandom(7)
    let covered = 0
    for (let sample = 0; sample < 200; sample += 1) {
      const interval = await meanInterval(Array.from({ length: 60 }, random))
      if (interval && interval.low <= 0.5 && interval.high >= 0.5) covered += 1
    }
    expect(covered / 200).toBeGreaterThan(0.9)
    expect(covered / 200).toBeLessThan(0.99)
  })
})

describe('a quantile', () => {
  it.each([
    [0.5, 3],
    [0.95, 5],
    [0, 1],
  ])('at %d is the nearest rank', (share, expected) => {
    expect(quantile([5, 1, 4, 2, 3], share)).toBe(expected)
    expect(quantile([], share)).toBeUndefined()
  })
})
