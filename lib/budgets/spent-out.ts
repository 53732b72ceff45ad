import type { Policy } from '../compose.ts'
import type { Call, Reply } from '../llm/types.ts'
import type { Budgets } from './budgets.ts'
import type { BudgetsOf } from './types.ts'

export type SpentOutDeps = Readonly<{ budgets: Pick<Budgets, 'assertNotSpent'>; budgetsOf: BudgetsOf }>

/**
 * Refuses a call whose budget is spent, before anything is done for it. Whether what is left suffices is decided by the
 * reservation, so that a cached answer costs nothing. Absent dependencies switch it off.
 */
export const spentOut = (deps: SpentOutDeps | undefined): Policy<Call, Reply> =>
  function spentOut(call, next) {
    const limits = deps?.budgetsOf(call.caller) ?? []
    if (!deps || limits.length === 0) return next(call)
    return deps.budgets.assertNotSpent(limits).then(() => next(call))
  }
