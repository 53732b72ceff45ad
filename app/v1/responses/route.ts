import { serve } from '#lib/gateway/index.ts'
import { readModelRequest } from '#lib/http/dialects/model-request.ts'
import { referencedItems } from '#lib/http/dialects/openai-responses/input.ts'
import { responsesResponse } from '#lib/http/dialects/openai-responses/reply.ts'
import { assertOffered, responsesRequest } from '#lib/http/dialects/openai-responses/request.ts'
import { headerOptionsOf } from '#lib/http/request-headers.ts'
import { responsesBodyOrThrow } from '#lib/validation/openai-responses.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/responses',
    surface: 'chat',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway, abort }) => {
      const { clock, chatDefaults, responses } = gateway
      const { caller } = context
      const sent = await readModelRequest(request, context, gateway)
      const body = await responsesBodyOrThrow(sent)
      assertOffered(body)
      const references = { previousId: body.previous_response_id, itemIds: referencedItems(body) }
      const asked = await responsesRequest(context, body, sent, {
        model: gateway.modelNamed(body.model),
        ...headerOptionsOf(request),
        requestTimeoutMs: chatDefaults.requestTimeoutMs,
        context: await responses.context(caller, references),
      })
      return responsesResponse(asked, await gateway.answer(asked.call), {
        clock,
        abort,
        keepsAnswers: responses.keepsAnswersOf(caller),
        keep: answer => responses.keep(caller, answer),
      })
    },
  },
)
