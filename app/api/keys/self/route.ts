import { keyOf } from '#lib/auth/keys/acting.ts'
import { serve } from '#lib/gateway/index.ts'
import { keyJson } from '#lib/http/dialects/keys.ts'

/** The caller's own API key. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/keys/self', surface: 'api', access: 'member', changes: false },
  {
    GET: async ({ context, gateway }) => {
      const key = await gateway.keys.service.self(keyOf(context.caller))
      return { json: keyJson(key, gateway.clock.now()) }
    },
  },
)
