import { plural } from '../../format.ts'
import { dollars, nanoOfUsd } from '../money.ts'
import type { Budget, PeriodBudget } from '../wire.ts'

/** The share of a limit from which on the gateway gives a notice. */
const NOTICE_AT = 0.8

export const PERIODS = ['day', 'month'] as const

export type Level = 'fine' | 'notice' | 'spent-out'

export const hasLimit = ({ budgetUsd: { day, month } }: Budget): boolean => day !== null || month !== null

/** What is spent of a limit, as a share that may exceed 1; undefined without a limit. */
export function shareSpent({ limitUsd, spentNanoUsd }: PeriodBudget): number | undefined {
  if (limitUsd === null) return undefined
  const limit = Number(nanoOfUsd(limitUsd))
  return limit === 0 ? 1 : Number(spentNanoUsd) / limit
}

export function levelOf(budget: PeriodBudget): Level {
  const share = shareSpent(budget) ?? 0
  if (share >= 1) return 'spent-out'
  return share >= NOTICE_AT ? 'notice' : 'fine'
}

const LEVELS = { fine: '', notice: ', 80 % reached', 'spent-out': ', spent out' } as const

/** Rounded down, so that 100 % means that nothing is left. */
const percent = (share: number): string => `${Math.floor(share * 100).toLocaleString('en')} %`

/** `$4.20 of $5.00 spent (84 %, 80 % reached), $0.10 reserved`. */
export function spentAsWords(budget: PeriodBudget): string {
  const { limitUsd, spentNanoUsd, reservedNanoUsd } = budget
  const share = shareSpent(budget)
  const spent = dollars(BigInt(spentNanoUsd))
  const reserved = `${dollars(BigInt(reservedNanoUsd))} reserved`
  if (limitUsd === null || share === undefined) return `${spent} spent, ${reserved}, no limit`
  const limit = dollars(nanoOfUsd(limitUsd))
  return `${spent} of ${limit} spent (${percent(share)}${LEVELS[levelOf(budget)]}), ${reserved}`
}

/** `all callers`, `owner search`, `key bot`. @param keyName the name of a key by its id */
export function scopeAsWords(scope: string, keyName: (id: string) => string | undefined): string {
  if (scope === 'all') return 'all callers'
  const [kind, ...rest] = scope.split(':')
  const name = rest.join(':')
  return kind === 'key' ? `key ${keyName(name) ?? name}` : `owner ${name}`
}

/** A message for each budget of which 80 % is spent. */
export function noticesOf(
  budgets: readonly Budget[],
  keyName: (id: string) => string | undefined,
): readonly string[] {
  return budgets.flatMap(budget =>
    PERIODS.flatMap(name => {
      const period = budget[name]
      const level = levelOf(period)
      if (level === 'fine') return []
      const verb = level === 'spent-out' ? 'is spent out' : 'has reached 80 %'
      return `The ${name}’s budget of ${scopeAsWords(budget.scope, keyName)} ${verb}: ${spentAsWords(period)}.`
    }),
  )
}

/** `renews in 3 hours`. @param now as `Date.now()` */
export function renewalAsWords({ renewsAt }: PeriodBudget, now: number): string {
  const hours = Math.max(1, Math.ceil((Date.parse(renewsAt) - now) / 3_600_000))
  return hours < 48
    ? `renews in ${plural(hours, 'hour')}`
    : `renews in ${plural(Math.ceil(hours / 24), 'day')}`
}
