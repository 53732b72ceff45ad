import { serve } from '#lib/gateway/index.ts'
import { pageJson } from '#lib/http/dialects/batch.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { budgetsQuery } from '#lib/validation/budgets.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** All budgets that have a limit. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/budgets', surface: 'api', access: 'admin', changes: false },
  {
    GET: async ({ request, gateway }) => {
      const page = await gateway.budgets.list(parseOrThrow(budgetsQuery, queryOf(request)))
      return { json: pageJson('budgets', page, budget => budget) }
    },
  },
)
