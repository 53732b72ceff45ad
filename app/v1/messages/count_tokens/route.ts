import { serve } from '#lib/gateway/index.ts'
import { countResponse } from '#lib/http/dialects/anthropic-messages/count.ts'
import { messagesCall } from '#lib/http/dialects/anthropic-messages/request.ts'
import { readModelRequest } from '#lib/http/dialects/model-request.ts'
import { countBodyOrThrow } from '#lib/validation/anthropic-messages.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/messages/count_tokens', surface: 'api', access: 'caller', changes: true, idempotent: true },
  {
    POST: async ({ request, context, gateway }) => {
      const { chatDefaults } = gateway
      const sent = await readModelRequest(request, context, gateway)
      const body = await countBodyOrThrow(sent.value)
      const call = await messagesCall(context, body, sent, {
        model: gateway.modelNamed(body.model),
        headers: request.headers,
        cache: 'no-store',
        requestTimeoutMs: chatDefaults.requestTimeoutMs,
      })
      return countResponse(await gateway.countTokens(call))
    },
  },
)
