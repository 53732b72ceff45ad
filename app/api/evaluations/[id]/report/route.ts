import { serve } from '#lib/gateway/index.ts'
import { reportResponse } from '#lib/http/dialects/evaluation-report.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { reportQuery } from '#lib/validation/evaluation-runs.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** The variants of a run side by side, by what has been graded so far. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/evaluations/{id}/report', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, params, gateway }) => {
      const options = parseOrThrow(reportQuery, queryOf(request))
      const { runs } = gateway.evaluations
      return reportResponse(await runs.report(context.caller, params.id), options)
    },
  },
)
