import { serve } from '#lib/gateway/index.ts'
import { readEncodedJson } from '#lib/http/body.ts'
import { batchJson, batchOptions } from '#lib/http/dialects/openai-batches.ts'
import { listJson } from '#lib/http/dialects/openai-files.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { batchBody, batchesQuery } from '#lib/validation/openai-batches.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/batches',
    surface: 'api',
    postSurface: 'upload',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    GET: async ({ request, context, gateway }) => {
      const query = parseOrThrow(batchesQuery, queryOf(request))
      const page = await gateway.v1Batches.list(context.caller, 'batches', query)
      return { json: listJson(page, batchJson) }
    },
    POST: async ({ request, context, gateway }) => {
      const { value } = await readEncodedJson(request, gateway.env.MAX_BODY_BYTES)
      const options = batchOptions(parseOrThrow(batchBody, value))
      return { json: batchJson(await gateway.v1Batches.create(context.caller, options)) }
    },
  },
)
