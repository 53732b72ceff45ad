import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { jobJson, pageJson } from '#lib/http/dialects/batch.ts'
import { jobsQuery, queryOf } from '#lib/validation/batch.ts'
import { parseJob } from '#lib/validation/job.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

/** Batches as JSON: submitting and listing. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/batch/jobs',
    surface: 'api',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    GET: async ({ request, context, gateway }) => {
      const page = await gateway.batch.list(context.caller, parseOrThrow(jobsQuery, queryOf(request)))
      return { json: pageJson('jobs', page, job => jobJson(job, gateway.clock.now())) }
    },
    POST: async ({ request, context, gateway }) => {
      const { batch, env, clock } = gateway
      const limits = { item: gateway.itemLimits, mostItems: env.BATCH_MAX_ITEMS, now: clock.now() }
      const { items, ...options } = await parseJob(await readJson(request, env.BATCH_MAX_BODY_BYTES), limits)
      await gateway.assertModels(items)
      const giveBack = await gateway.spendItems(context, items.length)
      const job = await batch.submit(context.caller, options, items).catch(async error => {
        await giveBack()
        throw error
      })
      return {
        status: 202,
        json: jobJson(job, clock.now()),
        headers: { location: `/api/batch/jobs/${job.id}` },
      }
    },
  },
)
