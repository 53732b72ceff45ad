import { isoTime } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { nanoUsdOf, usdOfNano } from '../money.ts'
import { unknownCursor } from '../storage/records/pages.ts'
import type { Budgets } from './budgets.ts'
import type { HoldRecords } from './hold-records.ts'
import type { BudgetRecorder, LimitRecords } from './limit-records.ts'
import { isLimit, type Limits } from './limits.ts'
import { dayOf, endOf, isDay, limitIn } from './period.ts'
import { keyIn, scopeIn } from './scope.ts'
import type { Counter, LedgerSum, Limit, Scope } from './types.ts'

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

export type BudgetQuery = Readonly<{ limit: number; cursor?: string | undefined }>
export type BudgetPage = Readonly<{ entries: readonly BudgetReport[]; cursor?: string }>

/** US dollars for each UTC day and month; absent where there is to be no limit. */
export type BudgetUsd = Readonly<{ day?: number | undefined; month?: number | undefined }>

/** Whole nanodollars; absent where there is no limit. */
export type Amounts = Omit<Limit, 'scope'>

export type BudgetAdminDeps = Readonly<{
  limits: Pick<Limits, 'set'>
  limitRecords: Pick<LimitRecords, 'find' | 'list'>
  records: Pick<HoldRecords, 'counters'>
  budgets: Pick<Budgets, 'begin'>
  ledgerSum: LedgerSum
  /** The budgets of keys, which are kept with them. Both reject with NOT_FOUND where there is no such key. */
  keys: Readonly<{
    budgetOf: (id: string) => Promise<Amounts>
    setBudget: (id: string, budget: Amounts, record: BudgetRecorder) => Promise<void>
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

const budgetReport = (limit: Limit, counters: readonly Counter[]): BudgetReport => {
  const { scope } = limit
  const own = counters.filter(counter => counter.scope === scope)
  const [day, month] = [true, false].map(wanted => own.find(({ period }) => isDay(period) === wanted))
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

const cursorOf = (scope: Scope): string => Buffer.from(scope).toString('base64url')

const readCursor = (cursor: string): Scope => {
  const scope = scopeIn(Buffer.from(cursor, 'base64url').toString())
  if (scope === undefined || cursorOf(scope) !== cursor) throw unknownCursor()
  return scope
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
    const limit = await this.#limitOf(scopeOrThrow(text))
    const counters = await this.#countersOf([limit])
    return budgetReport(limit, isLimit(limit) ? counters : await this.#byLedger(counters))
  }

  /**
   * All budgets with a limit, in the order of their scopes: of all callers, of keys that are not revoked, of owners.
   * @throws GatewayError INVALID_INPUT for an unknown cursor
   */
  async list({ limit, cursor }: BudgetQuery): Promise<BudgetPage> {
    const after = cursor === undefined ? undefined : readCursor(cursor)
    const found = await this.#deps.limitRecords.list({ most: limit + 1, after })
    const limits = found.slice(0, limit)
    const counters = await this.#countersOf(limits)
    const last = limits.at(-1)
    return {
      entries: limits.map(one => budgetReport(one, counters)),
      ...(found.length > limit && last && { cursor: cursorOf(last.scope) }),
    }
  }

  /**
   * Sets both limits of a scope, in effect on every instance within five seconds. What was spent before counts.
   * @throws GatewayError NOT_FOUND where the text is no scope, CONFLICT for a key that is revoked
   */
  async set(text: string, { day, month }: BudgetUsd, record: BudgetRecorder): Promise<BudgetReport> {
    const { limits, budgets } = this.#deps
    const scope = scopeOrThrow(text)
    const amounts: Amounts = {
      ...(day !== undefined && { dayNanoUsd: nanoUsdOf(day) }),
      ...(month !== undefined && { monthNanoUsd: nanoUsdOf(month) }),
    }
    await budgets.begin(scope, isLimit(await this.#limitOf(scope)))
    const keyId = keyIn(scope)
    if (keyId === undefined) await limits.set({ scope, ...amounts }, record)
    else await this.#deps.keys.setBudget(keyId, amounts, record)
    return this.report(scope)
  }

  async #countersOf(limits: readonly Limit[]): Promise<readonly Counter[]> {
    if (limits.length === 0) return []
    const { records, budgets, now } = this.#deps
    // One after the other: reservations need the database's connections too.
    for (const { scope } of limits.filter(isLimit)) await budgets.begin(scope, true)
    return records.counters(
      limits.map(({ scope }) => scope),
      dayOf(now()),
    )
  }

  /** Counters of a scope without a limit, which lack what is spent while none applies. */
  #byLedger(counters: readonly Counter[]): Promise<readonly Counter[]> {
    const { ledgerSum } = this.#deps
    return Promise.all(
      counters.map(async counter => ({
        ...counter,
        spent: await ledgerSum(counter.scope, counter.period),
      })),
    )
  }

  async #limitOf(scope: Scope): Promise<Limit> {
    const keyId = keyIn(scope)
    if (keyId === undefined) return this.#deps.limitRecords.find(scope)
    return { scope, ...(await this.#deps.keys.budgetOf(keyId)) }
  }
}
