import { serve } from '#lib/gateway/index.ts'
import { progressAnswer } from '#lib/http/dialects/batch.ts'

/** What becomes of all the caller's batches, for as long as they watch. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/events', surface: 'rest', changes: false },
  {
    GET: async ({ visit, gateway, abandon }) => {
      const { caller } = await gateway.admit(visit)
      return progressAnswer(gateway.batch.watch(caller, visit.signal), { clock: gateway.clock, abandon })
    },
  },
)
