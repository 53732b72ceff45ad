import { serve } from '#lib/gateway/index.ts'
import { messageBatchJson, originOf } from '#lib/http/dialects/anthropic-batches.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/messages/batches/{id}', surface: 'api', access: 'caller', changes: true },
  {
    GET: async ({ request, context, params, gateway }) => {
      const batch = await gateway.v1Batches.find(context.caller, 'message-batches', params.id)
      return { json: messageBatchJson(batch, originOf(request, gateway.access)) }
    },
    DELETE: async ({ context, params, gateway }) => {
      const { id } = await gateway.v1Batches.remove(context.caller, 'message-batches', params.id)
      return { json: { id, type: 'message_batch_deleted' } }
    },
  },
)
