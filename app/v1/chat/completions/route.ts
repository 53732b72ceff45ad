import { serve } from '#lib/gateway/index.ts'
import { readModelRequest } from '#lib/http/dialects/model-request.ts'
import { chatCompletionResponse } from '#lib/http/dialects/openai-chat/reply.ts'
import { chatCompletionCall } from '#lib/http/dialects/openai-chat/request.ts'
import { headerOptionsOf } from '#lib/http/request-headers.ts'
import { chatBodyOrThrow } from '#lib/validation/openai-chat.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/chat/completions',
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
      const body = await chatBodyOrThrow(sent)
      const call = await chatCompletionCall(context, body, sent, {
        model: gateway.modelNamed(body.model),
        ...headerOptionsOf(request),
        requestTimeoutMs: chatDefaults.requestTimeoutMs,
      })
      const wantsUsage = body.stream_options?.include_usage ?? false
      return chatCompletionResponse(call, await gateway.answer(call), { clock, abort, wantsUsage })
    },
  },
)
