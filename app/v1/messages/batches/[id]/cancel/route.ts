import { serve } from '#lib/gateway/index.ts'
import { messageBatchJson, originOf } from '#lib/http/dialects/anthropic-batches.ts'

/** Cancels a batch: its waiting and running requests do not continue. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/messages/batches/{id}/cancel',
    surface: 'api',
    access: 'caller',
    changes: true,
    idempotent: 'without-body',
  },
  {
    POST: async ({ request, context, params, gateway }) => {
      const batch = await gateway.v1Batches.cancel(context.caller, 'message-batches', params.id)
      return { json: messageBatchJson(batch, originOf(request, gateway.access)) }
    },
  },
)
