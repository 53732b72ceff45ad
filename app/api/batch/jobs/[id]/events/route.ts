import { serve } from '#lib/gateway/index.ts'
import { progressResponse } from '#lib/http/dialects/batch.ts'

/** The progress of one batch; the stream ends with the batch. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs/{id}/events', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, params, gateway, abort }) => {
      const job = await gateway.batch.find(context.caller, params.id)
      return progressResponse(gateway.batch.progress(job, context.signal), { clock: gateway.clock, abort })
    },
  },
)
