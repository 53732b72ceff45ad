import { serve } from '#lib/gateway/index.ts'
import { readJsonText } from '#lib/http/body.ts'
import { assertJsonSyntax } from '#lib/validation/json-syntax.ts'
import { kvKeyOf } from '#lib/validation/kv.ts'

/** One value of the caller: any JSON, kept as it was spelled. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/kv/{key}', surface: 'kv', access: 'caller', changes: true },
  {
    GET: async ({ request, context, gateway }) => {
      const body = await gateway.kv.get(context.caller, kvKeyOf(request))
      return { text: { type: 'application/json; charset=utf-8', body } }
    },
    PUT: async ({ request, context, gateway }) => {
      const key = kvKeyOf(request)
      const text = await readJsonText(request, gateway.kvMaxBytes)
      await assertJsonSyntax(text)
      const stored = await gateway.kv.put(context.caller, key, text)
      return { status: stored === 'created' ? 201 : 200, json: { key, bytes: Buffer.byteLength(text) } }
    },
    DELETE: async ({ request, context, gateway }) => {
      await gateway.kv.remove(context.caller, kvKeyOf(request))
      return { status: 204 }
    },
  },
)
