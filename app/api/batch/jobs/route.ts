import { serve } from '#lib/gateway/index.ts'
import { jobJson, pageJson } from '#lib/http/dialects/batch.ts'
import { readJson } from '#lib/http/json-body.ts'
import { jobsQuery, queryOf } from '#lib/validation/batch.ts'
import { parseOrThrow } from '#lib/validation/faults.ts'
import { jobOrThrow } from '#lib/validation/job-body.ts'

/** Batches as JSON: handed in, and listed. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/batch/jobs', surface: 'rest' },
  {
    GET: async ({ request, visit, gateway }) => {
      const { caller } = await gateway.admit(visit)
      const page = await gateway.batch.list(caller, parseOrThrow(jobsQuery, queryOf(request)))
      return { json: pageJson('jobs', page, job => jobJson(job, gateway.clock.now())) }
    },
    POST: async ({ request, visit, gateway }) => {
      const { batch, env, clock } = gateway
      const { caller } = await gateway.admit(visit)
      const body = await readJson(request, env.BATCH_MAX_BODY_BYTES)
      const { items, ...wishes } = await jobOrThrow(
        body,
        gateway.itemLimits,
        env.BATCH_MAX_ITEMS,
        clock.now(),
      )
      await gateway.assertModels(items)
      const job = await batch.submit(caller, wishes, items)
      return {
        status: 202,
        json: jobJson(job, clock.now()),
        headers: { location: `/api/batch/jobs/${job.id}` },
      }
    },
  },
)
