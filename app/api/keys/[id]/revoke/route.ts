import { actingAs } from '#lib/auth/keys/acting.ts'
import { serve } from '#lib/gateway/index.ts'
import { keyJson } from '#lib/http/dialects/keys.ts'

/** Ends an API key, and the keys that it made. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/keys/{id}/revoke', surface: 'api', access: 'member', changes: true },
  {
    POST: async ({ context, params, gateway }) => {
      const key = await gateway.auditedKeys(context).revoke(params.id, actingAs(context.caller))
      return { json: keyJson(key, gateway.clock.now()) }
    },
  },
)
