import { requestedBy } from '#lib/audit/service.ts'
import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { invalidationBody } from '#lib/validation/invalidation.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Invalidation of cached answers, for clients that send no body with DELETE. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/cache/invalidate', surface: 'api', access: 'admin', changes: true },
  {
    POST: async ({ request, context, gateway }) => {
      const what = parseOrThrow(invalidationBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      await gateway.audit.append({
        ...requestedBy(context),
        action: 'cache.invalidate',
        object: 'cache',
        detail: what,
      })
      await gateway.cache.invalidate(what)
      return { json: { invalidated: what } }
    },
  },
)
