import { serve } from '#lib/gateway/index.ts'
import { jobJson } from '#lib/http/dialects/batch.ts'

/** Runs the failed items of a batch once more. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/batch/jobs/{id}/retry',
    surface: 'api',
    access: 'caller',
    changes: true,
    idempotent: 'without-body',
  },
  {
    POST: async ({ context, params, gateway }) => {
      return { json: jobJson(await gateway.batch.retry(context.caller, params.id), gateway.clock.now()) }
    },
  },
)
