import { serve } from '#lib/gateway/index.ts'
import { jobJson } from '#lib/http/dialects/batch.ts'

/** Cancels a batch: its waiting and running items do not continue. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/batch/jobs/{id}/cancel',
    surface: 'api',
    access: 'caller',
    changes: true,
    idempotent: 'without-body',
  },
  {
    POST: async ({ context, params, gateway }) => {
      return { json: jobJson(await gateway.batch.cancel(context.caller, params.id), gateway.clock.now()) }
    },
  },
)
