import { serve } from '#lib/gateway/index.ts'
import { runJson } from '#lib/http/dialects/evaluation.ts'

/** One run: its state and progress, and deleting it. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/evaluations/{id}', surface: 'api', access: 'caller', changes: true },
  {
    GET: async ({ context, params, gateway }) => ({
      json: runJson(await gateway.evaluations.runs.find(context.caller, params.id)),
    }),
    DELETE: async ({ context, params, gateway }) => {
      const { id } = await gateway.evaluations.runs.remove(context.caller, params.id)
      return { json: { id, deleted: true } }
    },
  },
)
