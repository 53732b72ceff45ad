import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { itemJson, jobJson, pageJson } from '#lib/http/dialects/batch.ts'
import { jobChange, jobQuery, queryOf } from '#lib/validation/batch.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** One batch with a page of its items: reading, changing the priority, deleting. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs/{id}', surface: 'api', access: 'caller', changes: true },
  {
    GET: async ({ request, context, params, gateway }) => {
      const job = await gateway.batch.find(context.caller, params.id)
      const page = await gateway.batch.items(job, parseOrThrow(jobQuery, queryOf(request)))
      return { json: { ...jobJson(job, gateway.clock.now()), ...pageJson('items', page, itemJson) } }
    },
    PATCH: async ({ request, context, params, gateway }) => {
      const change = parseOrThrow(jobChange, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const job = await gateway.batch.prioritise(context.caller, params.id, change.priority)
      return { json: jobJson(job, gateway.clock.now()) }
    },
    DELETE: async ({ context, params, gateway }) => {
      const { id } = await gateway.batch.remove(context.caller, params.id)
      return { json: { id, deleted: true } }
    },
  },
)
