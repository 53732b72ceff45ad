import { serve } from '#lib/gateway/index.ts'
import { noSuchStream, resumedResponse, streamIdOf } from '#lib/http/dialects/resume.ts'

/** The rest of an answer, for its owner after a lost connection. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/chat/{id}/stream',
    surface: 'api',
    access: 'caller',
    changes: false,
    servedWhileClosing: true,
  },
  {
    GET: async ({ request, context, params, gateway, abort }) => {
      const stream = gateway.streams.find(streamIdOf(params.id), context.caller)
      if (!stream) throw noSuchStream()
      return resumedResponse(stream, request, { clock: gateway.clock, client: request.signal, abort })
    },
  },
)
