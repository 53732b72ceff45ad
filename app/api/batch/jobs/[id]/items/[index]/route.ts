import { serve } from '#lib/gateway/index.ts'
import { itemDetailJson } from '#lib/http/dialects/batch.ts'

/** One item of a batch by its index, with the messages that are sent to the model. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs/{id}/items/{index}', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, params, gateway }) => {
      const job = await gateway.batch.find(context.caller, params.id)
      return { json: itemDetailJson(await gateway.batch.item(job, params.index)) }
    },
  },
)
