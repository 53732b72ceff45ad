import { serve } from '#lib/gateway/index.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { cursorOfKey, kvQuery } from '#lib/validation/kv.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** The caller's keys. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/kv', surface: 'kv', access: 'caller', changes: false },
  {
    GET: async ({ request, context, gateway }) => {
      const { limit, cursor: after } = parseOrThrow(kvQuery, queryOf(request))
      const { keys, more } = await gateway.kv.list(context.caller, { limit, after })
      const last = more ? keys.at(-1) : undefined
      return { json: { keys, nextCursor: last === undefined ? null : cursorOfKey(last) } }
    },
  },
)
