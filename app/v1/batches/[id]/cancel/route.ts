import { serve } from '#lib/gateway/index.ts'
import { batchJson } from '#lib/http/dialects/openai-batches.ts'

/** Cancels a batch: its waiting and running requests do not continue. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/batches/{id}/cancel',
    surface: 'api',
    access: 'caller',
    changes: true,
    idempotent: 'without-body',
  },
  {
    POST: async ({ context, params, gateway }) => {
      return { json: batchJson(await gateway.v1Batches.cancel(context.caller, 'batches', params.id)) }
    },
  },
)
