import { actingAs } from '#lib/auth/keys/acting.ts'
import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { keyJson } from '#lib/http/dialects/keys.ts'
import { keyChangeBody } from '#lib/validation/keys.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** One API key: reading and changing. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/keys/{id}', surface: 'api', access: 'member', changes: true },
  {
    GET: async ({ context, params, gateway }) => {
      const key = await gateway.keys.service.find(params.id, actingAs(context.caller))
      return { json: keyJson(key, gateway.clock.now()) }
    },
    PATCH: async ({ request, context, params, gateway }) => {
      const change = parseOrThrow(keyChangeBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const key = await gateway.auditedKeys(context).change(params.id, change, actingAs(context.caller))
      return { json: keyJson(key, gateway.clock.now()) }
    },
  },
)
