import { serve } from '#lib/gateway/index.ts'
import { readEncodedJson } from '#lib/http/body.ts'
import { messageBatchJson, messageBatchList, originOf } from '#lib/http/dialects/anthropic-batches.ts'
import { formatHeaders } from '#lib/http/dialects/anthropic-messages/request.ts'
import { messageBatchesQuery, messageBatchItems } from '#lib/validation/anthropic-batches.ts'
import { queryOf } from '#lib/validation/batch.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/messages/batches',
    surface: 'api',
    postSurface: 'upload',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    GET: async ({ request, context, gateway }) => {
      const { v1Batches, access } = gateway
      const {
        limit,
        after_id: after,
        before_id: before,
      } = parseOrThrow(messageBatchesQuery, queryOf(request))
      const page = await v1Batches.list(context.caller, 'message-batches', { limit, after, before })
      return { json: messageBatchList(page, originOf(request, access)) }
    },
    POST: async ({ request, context, gateway }) => {
      const { v1Batches, env, access } = gateway
      const { text, value } = await readEncodedJson(request, env.V1_MAX_BODY_BYTES)
      const options = { mostItems: env.BATCH_MAX_ITEMS, headers: formatHeaders(request.headers) }
      const items = await messageBatchItems(value, text, options)
      const batch = await v1Batches.submit(context.caller, items)
      return { json: messageBatchJson(batch, originOf(request, access)) }
    },
  },
)
