import { serve } from '#lib/gateway/index.ts'
import { datasetDetailJson } from '#lib/http/dialects/evaluation.ts'

/** One data set with its first rows: reading and deleting. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/evaluations/datasets/{id}', surface: 'api', access: 'caller', changes: true },
  {
    GET: async ({ context, params, gateway }) => {
      const { datasets } = gateway.evaluations
      const dataset = await datasets.find(context.caller, params.id)
      return { json: datasetDetailJson(dataset, await datasets.firstRows(dataset)) }
    },
    DELETE: async ({ context, params, gateway }) => {
      const { id } = await gateway.evaluations.datasets.remove(context.caller, params.id)
      return { json: { id, deleted: true } }
    },
  },
)
