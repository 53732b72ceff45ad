import { serve } from '#lib/gateway/index.ts'
import { pageJson } from '#lib/http/dialects/batch.ts'
import { datasetJson } from '#lib/http/dialects/evaluation.ts'
import { readDataset } from '#lib/http/dialects/evaluation-upload.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { evaluationsQuery } from '#lib/validation/evaluation-runs.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Data sets for evaluations: uploading and listing. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/evaluations/datasets',
    surface: 'api',
    postSurface: 'evaluation',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    GET: async ({ request, context, gateway }) => {
      const { datasets } = gateway.evaluations
      const page = await datasets.list(context.caller, parseOrThrow(evaluationsQuery, queryOf(request)))
      return { json: pageJson('datasets', page, datasetJson) }
    },
    POST: async ({ request, context, gateway }) => {
      const { datasets } = gateway.evaluations
      const { mediaDir } = gateway
      const sent = await readDataset(request, { mediaDir, signal: context.signal })
      const dataset = await datasets.create(context.caller, sent)
      return {
        status: 201,
        json: datasetJson(dataset),
        headers: { location: `/api/evaluations/datasets/${dataset.id}` },
      }
    },
  },
)
