import { describe, expect, it } from 'vitest'
import { parseUsageQuery } from '#lib/validation/usage.ts'

const NOW = Date.UTC(2026, 10, 25, 12)

describe('the period of usage', () => {
  it('is whole days where it is named by dates, the last one included', () => {
    const { from, to } = parseUsageQuery({ from: '2026-02-28', to: '2026-02-28' }, NOW)
    expect([from, to]).toEqual([Date.UTC(2026, 1, 28), Date.UTC(2026, 2, 1)])
  })

  it.each([
    { from: '2026-02-30' },
    { to: '2026-02-30T00:00:00Z' },
    { from: '2026-11-10', to: '2026-11-09' },
    { from: '2026-11-10T01:00:00Z', to: '2026-11-10T01:00:00Z' },
  ])('is refused where there is no such day, or it does not begin before its end: %j', query => {
    expect(() => parseUsageQuery(query, NOW)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }))
  })
})
