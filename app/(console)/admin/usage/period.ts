const DAY_MS = 86_400_000

export const PERIODS = {
  today: 'Today',
  week: 'Last 7 days',
  '30-days': 'Last 30 days',
  month: 'This month',
  'last-month': 'Last month',
  own: 'Other days',
} as const
export type Period = keyof typeof PERIODS

/** The first and the last day in UTC, both included: `2026-11-01`. */
export type Days = { from: string; to: string }

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** The days of a period. @param now as `Date.now()` */
export function daysOf(period: Exclude<Period, 'own'>, now: number): Days {
  const date = new Date(now)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const to = dayOf(now)
  switch (period) {
    case 'today':
      return { from: to, to }
    case 'week':
      return { from: dayOf(now - 6 * DAY_MS), to }
    case '30-days':
      return { from: dayOf(now - 29 * DAY_MS), to }
    case 'month':
      return { from: dayOf(Date.UTC(year, month, 1)), to }
    case 'last-month':
      return { from: dayOf(Date.UTC(year, month - 1, 1)), to: dayOf(Date.UTC(year, month, 0)) }
  }
}

/** Each day of a period; none where it ends before it begins. */
export function eachDay({ from, to }: Days): string[] {
  const first = Date.parse(from)
  const count = Math.max(0, Math.round((Date.parse(to) - first) / DAY_MS) + 1)
  return Array.from({ length: count }, (_, index) => dayOf(first + index * DAY_MS))
}

/** `Nov 1, 2026`. */
export const dayAsWords = (day: string): string =>
  new Date(day).toLocaleDateString('en', { dateStyle: 'medium', timeZone: 'UTC' })
