import { serve } from '#lib/gateway/index.ts'
import { keyJson } from '#lib/http/dialects/keys.ts'

/** Ends an API key, and the keys that it made. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/keys/{id}/revoke', surface: 'api', access: 'admin', changes: true },
  {
    POST: async ({ params, context, gateway }) => {
      const key = await gateway.auditedKeys(context).revoke(params.id, { all: true })
      return { json: keyJson(key, gateway.clock.now()) }
    },
  },
)
