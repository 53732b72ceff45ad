import { serve } from '#lib/gateway/index.ts'
import { noSuchStream, resumedAnswer, streamIdOf } from '#lib/http/dialects/resume.ts'

/** The rest of an answer, for whoever asked for it and lost the connection. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/chat/{id}/stream', surface: 'rest', changes: false, toTheLast: true },
  {
    GET: async ({ request, visit, params, gateway, abandon }) => {
      const { caller } = await gateway.admit(visit)
      const stream = gateway.streams.find(streamIdOf(params.id), caller)
      if (!stream) throw noSuchStream()
      return resumedAnswer(stream, request, { clock: gateway.clock, client: request.signal, abandon })
    },
  },
)
