import { requestedBy } from '#lib/audit/service.ts'
import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { budgetBody } from '#lib/validation/budgets.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Next decodes the parameters of a path and the native server does not: neither decodes the path itself. */
const scopeIn = ({ url }: Request): string =>
  decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '')

/** The budget of all callers, of an owner, or of a key: `all`, `owner:NAME`, `key:ID`. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/budgets/{scope}', surface: 'api', access: 'admin', changes: true },
  {
    GET: async ({ request, gateway }) => ({ json: await gateway.budgets.report(scopeIn(request)) }),
    PUT: async ({ request, context, gateway }) => {
      const scope = scopeIn(request)
      const body = parseOrThrow(budgetBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      await gateway.audit.append({
        ...requestedBy(context),
        action: 'budget.change',
        object: scope,
        before: (await gateway.budgets.report(scope)).budgetUsd,
        after: body,
        detail: { day: body.day ?? null, month: body.month ?? null },
      })
      return { json: await gateway.budgets.set(scope, body) }
    },
  },
)
