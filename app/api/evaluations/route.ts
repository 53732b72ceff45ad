import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { pageJson } from '#lib/http/dialects/batch.ts'
import { planOf, runJson } from '#lib/http/dialects/evaluation.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { evaluationsQuery, runBody } from '#lib/validation/evaluation-runs.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Runs of data sets: starting and listing. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/evaluations',
    surface: 'api',
    postSurface: 'evaluation',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    GET: async ({ request, context, gateway }) => {
      const { runs } = gateway.evaluations
      const page = await runs.list(context.caller, parseOrThrow(evaluationsQuery, queryOf(request)))
      return { json: pageJson('evaluations', page, runJson) }
    },
    POST: async ({ request, context, gateway }) => {
      const { datasets, runs } = gateway.evaluations
      const body = parseOrThrow(runBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const dataset = await datasets.find(context.caller, body.dataset)
      const options = { name: body.name, dataset, plan: planOf(body) }
      await runs.assertPlan(options, context)
      const giveBack = await gateway.spendItems(context, dataset.rows * body.variants.length)
      const run = await runs.start(context.caller, options).catch(async error => {
        await giveBack()
        throw error
      })
      return { status: 202, json: runJson(run), headers: { location: `/api/evaluations/${run.id}` } }
    },
  },
)
