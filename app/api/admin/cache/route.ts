import { requestedBy } from '#lib/audit/service.ts'
import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { invalidationBody } from '#lib/validation/invalidation.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** The answer cache: statistics and invalidation. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/cache', surface: 'api', access: 'admin', changes: true },
  {
    GET: async ({ gateway }) => ({ json: gateway.cache.report() }),
    DELETE: async ({ request, context, gateway }) => {
      const body = parseOrThrow(invalidationBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      await gateway.audit.append({
        ...requestedBy(context),
        action: 'cache.invalidate',
        object: 'cache',
        detail: body,
      })
      await gateway.cache.invalidate(body)
      return { json: { invalidated: body } }
    },
  },
)
