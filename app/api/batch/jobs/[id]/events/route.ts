import { serve } from '#lib/gateway/index.ts'
import { progressAnswer } from '#lib/http/dialects/batch.ts'

/** What becomes of one batch, as it happens; ends with it. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs/{id}/events', surface: 'rest', changes: false },
  {
    GET: async ({ visit, params, gateway, abandon }) => {
      const { caller } = await gateway.admit(visit)
      const job = await gateway.batch.find(caller, params.id)
      return progressAnswer(gateway.batch.progress(job, visit.signal), { clock: gateway.clock, abandon })
    },
  },
)
