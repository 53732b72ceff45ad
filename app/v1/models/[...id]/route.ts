import { serve } from '#lib/gateway/index.ts'
import { oneModel } from '#lib/http/dialects/openai-models.ts'

const nameIn = (id: string | readonly string[] | undefined): string =>
  [id ?? []].flat().map(decodeURIComponent).join('/')

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/models/*', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ params, context, gateway }) => {
      const name = gateway.modelNamed(nameIn(params.id))
      return { json: oneModel(gateway.callableModels(context.caller), name) }
    },
  },
)
