import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { evaluationResponse } from '#lib/http/dialects/evaluation.ts'
import { evaluateBody } from '#lib/validation/evaluation.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Grades one answer. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/evaluate',
    surface: 'evaluation',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway }) => {
      const body = parseOrThrow(evaluateBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const { grading, ...account } = await gateway.evaluate(context, body)
      return evaluationResponse(context.requestId, grading, account)
    },
  },
)
