import { serve } from '#lib/gateway/index.ts'
import { readJson } from '#lib/http/body.ts'
import { cacheTagsOf } from '#lib/http/cache-tags.ts'
import { chatCall, chatResponse } from '#lib/http/dialects/chat.ts'
import { refusedResume, resumableResponse, wantsResume } from '#lib/http/dialects/resume.ts'
import { parseOrThrow } from '#lib/validation/faults.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/chat', surface: 'chat', access: 'caller', admittedBy: 'pipeline', changes: true },
  {
    POST: async ({ request, context, gateway, abort, surviveDisconnect }) => {
      const { clock, chatDefaults, streams } = gateway
      const body = parseOrThrow(gateway.chatBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const call = chatCall(context, body, chatDefaults, cacheTagsOf(request))
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
