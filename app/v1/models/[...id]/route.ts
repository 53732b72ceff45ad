import { serve } from '#lib/gateway/index.ts'
import { oneModel } from '#lib/http/dialects/openai-models.ts'
import { pathEnd } from '#lib/validation/path-end.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/models/*', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, gateway }) => {
      const mayUse = (name: string) => gateway.mayUseModel(context.caller, name)
      return { json: oneModel(pathEnd(request, '/v1/models/'), gateway, mayUse) }
    },
  },
)
