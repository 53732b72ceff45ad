import { serve } from '#lib/gateway/index.ts'
import { passthroughResponse } from '#lib/http/dialects/passthrough/reply.ts'
import { jsonCall } from '#lib/http/dialects/passthrough/request.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/audio/speech',
    surface: 'chat',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway, abort }) => {
      const call = await jsonCall('audio/speech', request, context, gateway)
      return passthroughResponse(await gateway.answer(call), { clock: gateway.clock, abort })
    },
  },
)
