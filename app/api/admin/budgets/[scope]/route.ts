import { requestedBy } from '#lib/audit/service.ts'
import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { budgetBody } from '#lib/validation/budgets.ts'
import { pathEnd } from '#lib/validation/path-end.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

const scopeIn = (request: Request): string => pathEnd(request, '/api/admin/budgets/')

/** The budget of all callers, of an owner, or of a key: `all`, `owner:NAME`, `key:ID`. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/budgets/{scope}', surface: 'api', access: 'admin', changes: true },
  {
    GET: async ({ request, gateway }) => ({ json: await gateway.budgets.report(scopeIn(request)) }),
    PUT: async ({ request, context, gateway }) => {
      const scope = scopeIn(request)
      const body = parseOrThrow(budgetBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const entry = {
        ...requestedBy(context),
        action: 'budget.change' as const,
        object: scope,
        before: (await gateway.budgets.report(scope)).budgetUsd,
        after: body,
        detail: { day: body.day ?? null, month: body.month ?? null },
      }
      return {
        json: await gateway.budgets.set(scope, body, transaction => gateway.audit.append(entry, transaction)),
      }
    },
  },
)
