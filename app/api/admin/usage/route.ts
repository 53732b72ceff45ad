import { requestedBy } from '#lib/audit/service.ts'
import { serve } from '#lib/gateway/index.ts'
import { usageResponse } from '#lib/http/dialects/usage.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { parseUsageQuery } from '#lib/validation/usage.ts'

/** The usage of all callers. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/usage', surface: 'api', access: 'admin', changes: false },
  {
    GET: async ({ request, context, gateway }) => {
      const { format, ...query } = parseUsageQuery(queryOf(request), gateway.clock.now())
      if (format === 'csv')
        await gateway.audit.append({ ...requestedBy(context), action: 'export.usage', object: 'usage' })
      const report = await gateway.usage.usage(query)
      return usageResponse(report, { by: query.by, format, reserved: await gateway.reserved() })
    },
  },
)
