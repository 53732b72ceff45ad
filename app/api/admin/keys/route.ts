import { keyOf } from '#lib/auth/keys/acting.ts'
import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { pageJson } from '#lib/http/dialects/batch.ts'
import { keyJson, madeKeyJson } from '#lib/http/dialects/keys.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { keysQuery, newKeyBody } from '#lib/validation/keys.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** All API keys: making and listing. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/admin/keys', surface: 'api', access: 'admin', changes: true },
  {
    GET: async ({ request, gateway }) => {
      const page = await gateway.keys.service.list(parseOrThrow(keysQuery, queryOf(request)), { all: true })
      return { json: pageJson('keys', page, key => keyJson(key, gateway.clock.now())) }
    },
    POST: async ({ request, context, gateway }) => {
      const { clock, env } = gateway
      const settings = parseOrThrow(newKeyBody(clock.now()), await readJson(request, env.MAX_BODY_BYTES))
      const made = await gateway.auditedKeys(context).create(keyOf(context.caller), settings, { all: true })
      return {
        status: 201,
        json: madeKeyJson(made, clock.now()),
        headers: { location: `/api/admin/keys/${made.key.id}` },
      }
    },
  },
)
