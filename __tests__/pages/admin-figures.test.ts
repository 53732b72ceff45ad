import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { noticesOf, renewalAsWords, spentAsWords } from '../../app/(console)/admin/budgets/budget-words.ts'
import { costOf, dollars, nanoOfUsd } from '../../app/(console)/admin/money.ts'
import { daysOf, eachDay } from '../../app/(console)/admin/usage/period.ts'
import {
  costByDay,
  highestOf,
  rowName,
  shareOf,
  sorted,
  usagePath,
} from '../../app/(console)/admin/usage/usage-rows.ts'
import type { PeriodBudget, UsageRow } from '../../app/(console)/admin/wire.ts'

describe('amounts of money', () => {
  it.each([
    [0n, '$0.00'],
    [1n, '$0.000000001'],
    [21_000_000n, '$0.021'],
    [1_500_000_000n, '$1.50'],
    [1_234_567_890_123_456_789n, '$1,234,567,890.123456789'],
    [-1_500_000_000n, '-$1.50'],
  ])('%s nanodollars are shown to the nanodollar: %s', (nano, text) => {
    expect(dollars(nano)).toBe(text)
  })

  it('read back as the same number of nanodollars', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n }), nano => {
        const [whole = '', decimals = ''] = dollars(nano).replaceAll(/[$,]/g, '').split('.')
        expect(BigInt(whole) * 10n ** 9n + BigInt(decimals.padEnd(9, '0'))).toBe(nano)
      }),
    )
  })

  it('in US dollars become the nearest nanodollars', () => {
    expect([0.1, 4.35, 8.2, 1e-9].map(nanoOfUsd)).toEqual([100_000_000n, 4_350_000_000n, 8_200_000_000n, 1n])
  })
})

const usage = (row: Partial<UsageRow>): UsageRow => ({
  requests: 1,
  attempts: 1,
  tokens: { input: 0, cachedInput: 0, cacheWrite: 0, output: 0, reasoning: 0 },
  costUsd: 0,
  costNanoUsd: '0',
  unpricedAttempts: 0,
  cacheHits: 0,
  savedUsd: 0,
  errors: 0,
  latencyMs: { p50: null, p95: null },
  ...row,
})

describe('the cost of usage', () => {
  it('is unknown where no price is known, never 0', () => {
    expect(costOf(usage({ costUsd: null, unpricedAttempts: 3, attempts: 3 }))).toBe('price unknown')
  })

  it('says what is not in it', () => {
    expect(costOf(usage({ costUsd: 1.5, costNanoUsd: '1500000000', unpricedAttempts: 1 }))).toBe(
      '$1.50, price unknown for 1 attempt',
    )
  })

  it('is exact where a number of dollars would not be', () => {
    expect(costOf(usage({ costUsd: 9_007_199.254740993, costNanoUsd: '9007199254740993' }))).toBe(
      '$9,007,199.254740993',
    )
  })
})

const period = (limitUsd: number | null, spentNanoUsd: string): PeriodBudget => ({
  period: '2026-11',
  limitUsd,
  spentNanoUsd,
  reservedNanoUsd: '5000000',
  renewsAt: '2026-12-01T00:00:00.000Z',
})

describe('a budget', () => {
  const noticeOf = (limitUsd: number | null, spent: string) =>
    noticesOf(
      [
        {
          scope: 'key:key_1',
          budgetUsd: { day: null, month: limitUsd },
          day: period(null, spent),
          month: period(limitUsd, spent),
        },
      ],
      id => (id === 'key_1' ? 'Bot' : undefined),
    )

  it('gives a notice from 80 % on, and none below', () => {
    expect(noticeOf(1, '799999999')).toEqual([])
    expect(noticeOf(1, '800000000')).toEqual([
      'The month’s budget of key Bot has reached 80 %: $0.80 of $1.00 spent (80 %, 80 % reached), $0.005 reserved.',
    ])
  })

  it('is spent out at its limit, also at a limit of 0, and not a nanodollar before', () => {
    expect(noticeOf(1, '999999999')[0]).toContain('(99 %, 80 % reached)')
    expect(noticeOf(1, '1000000000')[0]).toContain('is spent out: $1.00 of $1.00 spent (100 %, spent out)')
    expect(noticeOf(0, '0')[0]).toContain('is spent out')
  })

  it('without a limit has no share and gives no notice', () => {
    expect(spentAsWords(period(null, '1'))).toBe('$0.000000001 spent, $0.005 reserved, no limit')
    expect(noticeOf(null, '1000000000000')).toEqual([])
  })

  it('says when it renews, in hours and then in days', () => {
    const at = (time: string) => renewalAsWords(period(1, '0'), Date.parse(time))
    expect(at('2026-11-30T22:30:00Z')).toBe('renews in 2 hours')
    expect(at('2026-11-30T23:59:59Z')).toBe('renews in 1 hour')
    expect(at('2026-11-27T12:00:00Z')).toBe('renews in 4 days')
  })
})

describe('a period of usage', () => {
  const now = Date.parse('2026-03-01T00:30:00Z')

  it.each([
    ['today', '2026-03-01', '2026-03-01', 1],
    ['week', '2026-02-23', '2026-03-01', 7],
    ['30-days', '2026-01-31', '2026-03-01', 30],
    ['month', '2026-03-01', '2026-03-01', 1],
    ['last-month', '2026-02-01', '2026-02-28', 28],
  ] as const)('%s is whole days in UTC: %s to %s, %i days', (name, from, to, count) => {
    expect(daysOf(name, now)).toEqual({ from, to })
    expect(eachDay({ from, to })).toHaveLength(count)
  })

  it('in January has last year’s December before it', () => {
    expect(daysOf('last-month', Date.parse('2027-01-15T12:00:00Z'))).toEqual({
      from: '2026-12-01',
      to: '2026-12-31',
    })
  })

  it('that ends before it begins has no days', () => {
    expect(eachDay({ from: '2026-03-02', to: '2026-03-01' })).toEqual([])
  })
})

describe('rows of usage', () => {
  it('are requested for whole days by one group', () => {
    const days = { from: '2026-11-01', to: '2026-11-28' }
    expect(usagePath('key', days)).toBe('/api/admin/usage?by=key&from=2026-11-01&to=2026-11-28')
    expect(usagePath('day', days, 'csv')).toMatch(/&format=csv$/)
  })

  it('are sorted by cost beyond the precision of numbers, then by requests; days newest first', () => {
    const rows = [
      usage({ model: 'a', costNanoUsd: '9007199254740992', requests: 1 }),
      usage({ model: 'b', costNanoUsd: '9007199254740993', requests: 1 }),
      usage({ model: 'c', costNanoUsd: '9007199254740992', requests: 2 }),
    ]
    expect(sorted(rows, 'model').map(({ model }) => model)).toEqual(['b', 'c', 'a'])
    const days = ['2026-11-02', '2026-11-03', '2026-11-01'].map(day => usage({ day }))
    expect(sorted(days, 'day').map(({ day }) => day)).toEqual(['2026-11-03', '2026-11-02', '2026-11-01'])
  })

  it('of callers without a key or an owner are named so', () => {
    expect(rowName(usage({ keyId: null, name: null }), 'key')).toBe('Without a key')
    expect(rowName(usage({ keyId: 'key_1', name: null }), 'key')).toBe('key_1')
    expect(rowName(usage({ owner: null }), 'owner')).toBe('No owner')
  })

  it('by day include days without requests, and mark those of which a price is unknown', () => {
    const rows = [
      usage({ day: '2026-11-01', costNanoUsd: '10' }),
      usage({ day: '2026-11-03', costNanoUsd: '40', unpricedAttempts: 1 }),
    ]
    const costs = costByDay(rows, { from: '2026-11-01', to: '2026-11-03' })
    expect(costs).toEqual([
      { day: '2026-11-01', nanoUsd: 10n, isPartial: false },
      { day: '2026-11-02', nanoUsd: 0n, isPartial: false },
      { day: '2026-11-03', nanoUsd: 40n, isPartial: true },
    ])
    expect(costs.map(({ nanoUsd }) => shareOf(nanoUsd, highestOf(costs)))).toEqual([0.25, 0, 1])
    expect(shareOf(0n, highestOf([]))).toBe(0)
  })
})
