import { serve } from '#lib/gateway/index.ts'
import { recommendationsJson } from '#lib/http/dialects/recommendations.ts'

/** How the same usage would have cost less. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/usage/recommendations', surface: 'api', access: 'admin', changes: false },
  { GET: async ({ gateway }) => ({ json: recommendationsJson(await gateway.recommendations()) }) },
)
