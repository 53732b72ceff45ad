import { useCallback, useRef, useState } from 'react'
import type { Failure } from '../../gateway/wire.ts'
import { useAdminApi } from '../admin-api.ts'
import type { Budget, BudgetsPage } from '../wire.ts'

/** How many budgets are requested at once: an admin's requests a minute are limited. */
const AT_ONCE = 4

const pathOf = (scope: string): string => `/api/admin/budgets/${encodeURIComponent(scope)}`

/** US dollars; absent where there is to be no limit. */
export type BudgetLimits = { day?: number; month?: number }

/** The budgets that were asked for, by their scope. */
export function useBudgets() {
  const { call, send } = useAdminApi()
  const [budgets, setBudgets] = useState<ReadonlyMap<string, Budget>>(new Map())
  const [failure, setFailure] = useState<Failure>()
  const asked = useRef(new Set<string>())

  const keep = useCallback(
    (budget: Budget) => setBudgets(known => new Map(known).set(budget.scope, budget)),
    [],
  )

  const load = useCallback(
    async (scopes: readonly string[]) => {
      for (const scope of scopes) asked.current.add(scope)
      for (let from = 0; from < scopes.length; from += AT_ONCE) {
        const some = scopes.slice(from, from + AT_ONCE)
        const results = await Promise.all(some.map(scope => call<Budget>(pathOf(scope))))
        for (const { value } of results) if (value) keep(value)
        const failed = results.find(result => result.failure)?.failure
        setFailure(failed)
        if (!failed) continue
        for (const scope of scopes.slice(from)) asked.current.delete(scope)
        return
      }
    },
    [call, keep],
  )

  /** Loads all that have a limit, of callers that the page does not show too. */
  const loadLimited = useCallback(async () => {
    for (let cursor = ''; ; ) {
      const { value, failure: failed } = await call<BudgetsPage>(`/api/admin/budgets?limit=200${cursor}`)
      for (const budget of value?.budgets ?? []) {
        asked.current.add(budget.scope)
        keep(budget)
      }
      if (failed) setFailure(failed)
      if (!value?.nextCursor) return
      cursor = `&cursor=${value.nextCursor}`
    }
  }, [call, keep])

  /** Loads those that are not known yet. */
  const want = useCallback(
    (scopes: readonly string[]) => {
      const unknown = scopes.filter(scope => !asked.current.has(scope))
      if (unknown.length > 0) void load(unknown)
    },
    [load],
  )

  const change = useCallback(
    async (scope: string, limits: BudgetLimits): Promise<Failure | undefined> => {
      const result = await send<Budget>('PUT', pathOf(scope), limits)
      if (result.value) keep(result.value)
      return result.failure
    },
    [send, keep],
  )

  return { budgets, failure, want, load, loadLimited, change }
}

export type Budgets = ReturnType<typeof useBudgets>
