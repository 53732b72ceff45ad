import { describe, expect, it } from 'vitest'
import { dayOf, endOf, monthOf, withinDay } from '#lib/budgets/period.ts'

const MIDNIGHT = Date.UTC(2026, 10, 30)

describe('a period', () => {
  it('is the UTC day of a time, also where times go back and forth over midnight', () => {
    for (const [time, day] of [
      [MIDNIGHT - 1, '2026-11-29'],
      [MIDNIGHT - 0.5, '2026-11-29'],
      [MIDNIGHT, '2026-11-30'],
      [MIDNIGHT - 1, '2026-11-29'],
      [MIDNIGHT + 86_399_999.9, '2026-11-30'],
      [MIDNIGHT + 86_400_000, '2026-12-01'],
      [Date.UTC(2028, 1, 29, 12), '2028-02-29'],
    ] as const)
      expect(dayOf(time)).toBe(day)
  })

  it('ends where the next one begins', () => {
    expect(endOf('2026-11-29')).toBe(MIDNIGHT)
    expect(endOf('2026-11')).toBe(Date.UTC(2026, 11))
    expect(endOf('2026-12')).toBe(Date.UTC(2027, 0))
    expect(monthOf('2026-11-29')).toBe('2026-11')
    expect(withinDay(MIDNIGHT + 5, '2026-11-29')).toBe(MIDNIGHT - 1)
  })
})
