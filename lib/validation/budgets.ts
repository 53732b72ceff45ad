import { z } from 'zod'
import { pageCursor, pageLimit } from './page.ts'
import { optional } from './zod.ts'

/** Larger sums of nanodollars are not exact. */
const MOST_USD = 9_000_000
const LONGEST_CURSOR = 1_000
const usd = z.number().min(0, 'must not be negative').max(MOST_USD, `must be at most ${MOST_USD}`)
const amounts = { day: optional(usd), month: optional(usd) }

/** The body of `PUT /api/admin/budgets/{scope}`: US dollars a UTC day and month, bare or as a key's `budgetUsd`. */
export const budgetBody = z
  .strictObject({ ...amounts, budgetUsd: optional(z.strictObject(amounts)) })
  .transform(({ day, month, budgetUsd }) => budgetUsd ?? { day, month })

/** The query of `GET /api/admin/budgets`. */
export const budgetsQuery = z.strictObject({
  limit: pageLimit(undefined, 'Budgets'),
  cursor: pageCursor(z.string().max(LONGEST_CURSOR)),
})
