import { serve } from '#lib/gateway/index.ts'
import { invalidInput } from '#lib/validation/zod.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/responses/{id}', surface: 'api', access: 'caller', changes: true },
  {
    GET: async ({ request, context, params, gateway }) => {
      if (new URL(request.url).searchParams.get('stream') === 'true')
        throw invalidInput([{ path: 'stream', message: 'must be false: only a new response is streamed' }])
      const response = await gateway.responses.find(context.caller, String(params.id))
      return { text: { type: 'application/json; charset=utf-8', body: response } }
    },
    DELETE: async ({ context, params, gateway }) => {
      const id = String(params.id)
      await gateway.responses.remove(context.caller, id)
      return { json: { id, object: 'response', deleted: true } }
    },
  },
)
