import { serve } from '#lib/gateway/index.ts'
import { contentResponse } from '#lib/http/dialects/openai-files.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/files/{id}/content', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, params, gateway, abort }) => {
      const { file, pieces } = await gateway.files.content(context.caller, params.id)
      return contentResponse(file, pieces, { clock: gateway.clock, abort })
    },
  },
)
