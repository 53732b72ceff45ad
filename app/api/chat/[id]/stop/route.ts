import { serve } from '#lib/gateway/index.ts'
import { noSuchStream, streamIdOf } from '#lib/http/dialects/resume.ts'

/** Stops an answer in progress, for its owner. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/chat/{id}/stop', surface: 'api', access: 'caller', changes: true },
  {
    POST: async ({ context, params, gateway }) => {
      const stream = gateway.streams.find(streamIdOf(params.id), context.caller)
      if (!stream) throw noSuchStream()
      stream.stop()
      return { json: { id: stream.id, stopped: stream.stopped, content: stream.content } }
    },
  },
)
