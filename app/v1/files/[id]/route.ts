import { serve } from '#lib/gateway/index.ts'
import { fileJson } from '#lib/http/dialects/openai-files.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/files/{id}', surface: 'api', access: 'caller', changes: true },
  {
    GET: async ({ context, params, gateway }) => {
      return { json: fileJson(await gateway.files.find(context.caller, params.id)) }
    },
    DELETE: async ({ context, params, gateway }) => {
      const { id } = await gateway.files.remove(context.caller, params.id)
      return { json: { id, object: 'file', deleted: true } }
    },
  },
)
