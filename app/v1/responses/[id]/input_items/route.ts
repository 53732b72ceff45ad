import { serve } from '#lib/gateway/index.ts'
import { inputItemList } from '#lib/http/dialects/openai-responses/input-item-list.ts'
import { inputItemsQuery } from '#lib/validation/openai-responses.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/responses/{id}/input_items', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ request, context, params, gateway }) => {
      const id = String(params.id)
      const query = parseOrThrow(inputItemsQuery, Object.fromEntries(new URL(request.url).searchParams))
      return { json: inputItemList(await gateway.responses.inputItems(context.caller, id), id, query) }
    },
  },
)
