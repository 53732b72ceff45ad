import { isoTime } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { nanoUsdOf, usdOfNano } from '../money.ts'
import type { Budgets } from './budgets.ts'
import type { HoldRecords } from './hold-records.ts'
import type { LimitRecords } from './limit-records.ts'
import { isLimit, type Limits } from './limits.ts'
import { dayOf, endOf, isDay, limitIn } from './period.ts'
import { keyIn, scopeIn } from './scope.ts'
import type { Counter, Limit, Scope } from './types.ts'

/** A budget in one period, in US dollars; `null` where there is no limit. */
export type PeriodReport = Readonly<{
  period: string
  limitUsd: number | null
  spentUsd: number
  reservedUsd: number
  /** What new calls can reserve; never negative. */
  remainingUsd: number | null
  /** Decimal integers, as the ledger has them. */
  spentNanoUsd: string
  reservedNanoUsd: string
  /** ISO 8601. */
  renewsAt: string
}>

export type BudgetReport = Readonly<{
  scope: Scope
  budgetUsd: Readonly<{ day: number | null; month: number | null }>
  day: PeriodReport
  month: PeriodReport
}>

/** US dollars for each UTC day and month; absent where there is to be no limit. */
export type BudgetUsd = Readonly<{ day?: number | undefined; month?: number | undefined }>

/** Whole nanodollars; absent where there is no limit. */
export type Amounts = Omit<Limit, 'scope'>

export type BudgetAdminDeps = Readonly<{
  limits: Pick<Limits, 'set'>
  limitRecords: Pick<LimitRecords, 'find'>
  records: Pick<HoldRecords, 'counters'>
  budgets: Pick<Budgets, 'begin'>
  /** The budgets of keys, which are kept with them. Both reject with NOT_FOUND where there is no such key. */
  keys: Readonly<{
    budgetOf: (id: string) => Promise<Amounts>
    setBudget: (id: string, budget: Amounts) => Promise<void>
  }>
  now: () => number
}>

const optionalUsd = (nanoUsd: number): number | null =>
  nanoUsd === Number.POSITIVE_INFINITY ? null : usdOfNano(nanoUsd)

const periodReport = ({ period, spent, reserved }: Counter, limit: Limit): PeriodReport => {
  const most = limitIn(limit, period)
  return {
    period,
    limitUsd: optionalUsd(most),
    spentUsd: usdOfNano(spent),
    reservedUsd: usdOfNano(reserved),
    remainingUsd: optionalUsd(Math.max(0, most - spent - reserved)),
    spentNanoUsd: String(spent),
    reservedNanoUsd: String(reserved),
    renewsAt: isoTime(endOf(period)),
  }
}

const scopeOrThrow = (text: string): Scope => {
  const scope = scopeIn(text)
  if (scope !== undefined) return scope
  throw new GatewayError('NOT_FOUND', 'A budget’s name is all, owner:NAME or key:ID.')
}

/** Reads and sets budgets. */
export class BudgetAdmin {
  readonly #deps: BudgetAdminDeps

  constructor(deps: BudgetAdminDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError NOT_FOUND where the text is no scope */
  async report(text: string): Promise<BudgetReport> {
    const { records, now } = this.#deps
    const scope = scopeOrThrow(text)
    const limit = await this.#limitOf(scope)
    const counters = await records.counters([scope], dayOf(now()))
    const [day, month] = [true, false].map(wanted => counters.find(({ period }) => isDay(period) === wanted))
    if (!day || !month) throw new Error('A counter is missing.')
    const dayReport = periodReport(day, limit)
    const monthReport = periodReport(month, limit)
    return {
      scope,
      budgetUsd: { day: dayReport.limitUsd, month: monthReport.limitUsd },
      day: dayReport,
      month: monthReport,
    }
  }

  /**
   * Sets both limits of a scope, in effect on every instance within five seconds. What was spent before counts.
   * @throws GatewayError NOT_FOUND where the text is no scope
   */
  async set(text: string, { day, month }: BudgetUsd): Promise<BudgetReport> {
    const { limits, budgets } = this.#deps
    const scope = scopeOrThrow(text)
    const amounts: Amounts = {
      ...(day !== undefined && { dayNanoUsd: nanoUsdOf(day) }),
      ...(month !== undefined && { monthNanoUsd: nanoUsdOf(month) }),
    }
    await budgets.begin(scope, isLimit(await this.#limitOf(scope)))
    const keyId = keyIn(scope)
    if (keyId === undefined) await limits.set({ scope, ...amounts })
    else await this.#deps.keys.setBudget(keyId, amounts)
    return this.report(scope)
  }

  async #limitOf(scope: Scope): Promise<Limit> {
    const keyId = keyIn(scope)
    if (keyId === undefined) return this.#deps.limitRecords.find(scope)
    return { scope, ...(await this.#deps.keys.budgetOf(keyId)) }
  }
}
