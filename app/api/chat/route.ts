import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { chatCall, chatResponse, questionOf } from '#lib/http/dialects/chat.ts'
import { refusedResume, resumableResponse, wantsResume } from '#lib/http/dialects/resume.ts'
import { uiMessageStream } from '#lib/http/dialects/ui-message-stream/reply.ts'
import { continuedMessage, uiChatCall } from '#lib/http/dialects/ui-message-stream/request.ts'
import { cacheLabelsOf } from '#lib/http/request-headers.ts'
import { isUiChatBody } from '#lib/validation/chat.ts'
import { parseOrThrow } from '#lib/validation/zod.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/chat',
    surface: 'chat',
    access: 'caller',
    refusedIsFree: true,
    changes: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway, abort, surviveDisconnect }) => {
      const { clock, chatDefaults, streams } = gateway
      const sent = await readJson(request, gateway.env.MAX_BODY_BYTES)
      if (isUiChatBody(sent)) {
        const body = parseOrThrow(gateway.uiChatBody, sent)
        const call = uiChatCall(context, body, chatDefaults, cacheLabelsOf(request))
        return uiMessageStream(call, await gateway.answer(call), {
          clock,
          abort,
          continues: continuedMessage(body),
        })
      }
      const body = parseOrThrow(gateway.chatBody, sent)
      const call = chatCall(context, questionOf(body), body, chatDefaults, cacheLabelsOf(request))
      if (!body.stream || !wantsResume(request))
        return chatResponse(call, await gateway.answer(call), clock, abort)

      const reply = await gateway.answer({ ...call, resume: true })
      const stream = streams.opened(reply)
      if (!stream) return refusedResume(await chatResponse(call, reply, clock, abort))
      surviveDisconnect()
      return resumableResponse(call, reply, stream, { clock, client: request.signal })
    },
  },
)
