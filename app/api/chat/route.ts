import { serve } from '#lib/gateway/index.ts'
import { cacheTagsOf } from '#lib/http/cache-tags.ts'
import { chatAnswer, chatCall } from '#lib/http/dialects/chat.ts'
import { readJson } from '#lib/http/json-body.ts'
import { parseOrThrow } from '#lib/validation/faults.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/chat', surface: 'chat' },
  {
    POST: async ({ request, visit, gateway, abandon }) => {
      const body = parseOrThrow(gateway.chatBody, await readJson(request, gateway.env.MAX_BODY_BYTES))
      const call = chatCall(visit, body, gateway.chatDefaults, cacheTagsOf(request))
      return chatAnswer(call, await gateway.answer(call), gateway.clock, abandon)
    },
  },
)
