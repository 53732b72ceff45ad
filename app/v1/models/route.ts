import { serve } from '#lib/gateway/index.ts'
import { modelList } from '#lib/http/dialects/openai-models.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/models', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, gateway }) => ({
      json: modelList(gateway.callableModels(context.caller), request.url),
    }),
  },
)
