import { serve } from '#lib/gateway/index.ts'
import { runJson } from '#lib/http/dialects/evaluation.ts'

/** Ends a run; what was graded stays. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/evaluations/{id}/cancel', surface: 'api', access: 'caller', changes: true },
  {
    POST: async ({ context, params, gateway }) => ({
      json: runJson(await gateway.evaluations.runs.cancel(context.caller, params.id)),
    }),
  },
)
