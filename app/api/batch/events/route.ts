import { serve } from '#lib/gateway/index.ts'
import { progressResponse } from '#lib/http/dialects/batch.ts'

/** The progress of all the caller's batches, while the stream is open. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/events', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, gateway, abort }) => {
      return progressResponse(gateway.batch.jobStream(context.caller, context.signal), {
        clock: gateway.clock,
        abort,
      })
    },
  },
)
