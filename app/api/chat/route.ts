import { serve } from '#lib/gateway/index.ts'
import { cacheTagsOf } from '#lib/http/cache-tags.ts'
import { chatAnswer, chatCall } from '#lib/http/dialects/chat.ts'
import { refusedResume, resumableAnswer, wantsResume } from '#lib/http/dialects/resume.ts'
import { readJson } from '#lib/http/json-body.ts'
import { parseOrThrow } from '#lib/validation/faults.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/chat', surface: 'chat', changes: true },
  {
    POST: async ({ request, visit, gateway, abandon, outlive }) => {
      const { clock, chatDefaults, streams } = gateway
      const body = parseOrThrow(gateway.chatBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const call = chatCall(visit, body, chatDefaults, cacheTagsOf(request))
      if (!body.stream || !wantsResume(request))
        return chatAnswer(call, await gateway.answer(call), clock, abandon)

      const reply = await gateway.answer({ ...call, resume: true })
      const stream = streams.opened(reply)
      if (!stream) return refusedResume(await chatAnswer(call, reply, clock, abandon))
      outlive()
      return resumableAnswer(call, reply, stream, { clock, client: request.signal })
    },
  },
)
