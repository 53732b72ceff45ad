import { serve } from '#lib/gateway/index.ts'
import { batchJson } from '#lib/http/dialects/openai-batches.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/batches/{id}', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, params, gateway }) => {
      return { json: batchJson(await gateway.v1Batches.find(context.caller, 'batches', params.id)) }
    },
  },
)
