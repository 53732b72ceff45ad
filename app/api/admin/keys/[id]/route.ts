import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { keyJson } from '#lib/http/dialects/keys.ts'
import { keyChangeBody } from '#lib/validation/keys.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** One API key: reading and changing. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/keys/{id}', surface: 'api', access: 'admin', changes: true },
  {
    GET: async ({ params, gateway }) => {
      const key = await gateway.keys.service.find(params.id, { all: true })
      return { json: keyJson(key, gateway.clock.now()) }
    },
    PATCH: async ({ request, params, context, gateway }) => {
      const change = parseOrThrow(keyChangeBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const key = await gateway.auditedKeys(context).change(params.id, change, { all: true })
      return { json: keyJson(key, gateway.clock.now()) }
    },
  },
)
