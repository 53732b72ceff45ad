import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { toolNameOf, toolResponse } from '#lib/http/dialects/tools.ts'

/** One run of a tool; the body is its arguments. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/tools/{name}', surface: 'api', access: 'caller', changes: true },
  {
    POST: async ({ request, context, gateway }) => {
      const name = toolNameOf(request)
      const input = await readJson(request, gateway.env.MAX_BODY_BYTES)
      return toolResponse(await gateway.tools.run(name, input, context))
    },
  },
)
