import { serve } from '#lib/gateway/index.ts'
import { jobJson } from '#lib/http/dialects/batch.ts'

/** Ends a batch: what waits or runs of it is given up. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs/{id}/cancel', surface: 'rest', changes: true },
  {
    POST: async ({ visit, params, gateway }) => {
      const { caller } = await gateway.admit(visit)
      return { json: jobJson(await gateway.batch.cancel(caller, params.id), gateway.clock.now()) }
    },
  },
)
