import { serve } from '#lib/gateway/index.ts'
import { messageResponse } from '#lib/http/dialects/anthropic-messages/reply.ts'
import { messagesCall } from '#lib/http/dialects/anthropic-messages/request.ts'
import { readModelRequest } from '#lib/http/dialects/model-request.ts'
import { headerOptionsOf } from '#lib/http/request-headers.ts'
import { messagesBodyOrThrow } from '#lib/validation/anthropic-messages.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/messages',
    surface: 'chat',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway, abort }) => {
      const { clock, chatDefaults } = gateway
      const sent = await readModelRequest(request, context, gateway)
      const body = await messagesBodyOrThrow(sent.value)
      const call = await messagesCall(context, body, sent, {
        model: gateway.modelNamed(body.model),
        headers: request.headers,
        ...headerOptionsOf(request),
        requestTimeoutMs: chatDefaults.requestTimeoutMs,
      })
      return messageResponse(call, await gateway.answer(call), { clock, abort })
    },
  },
)
