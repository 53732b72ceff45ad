import { serve } from '#lib/gateway/index.ts'
import { readJsonOrNothing } from '#lib/http/body.ts'
import { madeKeyJson } from '#lib/http/dialects/keys.ts'
import { rotationBody } from '#lib/validation/keys.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Gives an API key a new secret. The old one stays valid until the overlap ends. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/keys/{id}/rotate', surface: 'api', access: 'admin', changes: true },
  {
    POST: async ({ request, params, context, gateway }) => {
      const body = await readJsonOrNothing(request, gateway.env.MAX_BODY_BYTES)
      const { overlapSeconds } = parseOrThrow(rotationBody, body ?? {})
      const made = await gateway.auditedKeys(context).rotate(params.id, overlapSeconds * 1000, { all: true })
      return { json: madeKeyJson(made, gateway.clock.now()) }
    },
  },
)
