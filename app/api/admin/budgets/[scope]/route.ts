import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { budgetBody } from '#lib/validation/budgets.ts'
import { parseOrThrow } from '#lib/validation/faults.ts'

const scopeIn = (scope: string | readonly string[] | undefined): string => decodeURIComponent(String(scope))

/** The budget of all callers, of an owner, or of a key: `all`, `owner:NAME`, `key:ID`. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/budgets/{scope}', surface: 'api', access: 'admin', changes: true },
  {
    GET: async ({ params, gateway }) => ({ json: await gateway.budgets.report(scopeIn(params.scope)) }),
    PUT: async ({ request, params, gateway }) => {
      const body = parseOrThrow(budgetBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      return { json: await gateway.budgets.set(scopeIn(params.scope), body) }
    },
  },
)
