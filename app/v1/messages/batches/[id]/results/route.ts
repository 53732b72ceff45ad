import { serve } from '#lib/gateway/index.ts'
import { messageResults } from '#lib/http/dialects/anthropic-batches.ts'
import { download } from '#lib/http/download.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/messages/batches/{id}/results', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, params, gateway, abort }) => {
      const { v1Batches, clock } = gateway
      const batch = await v1Batches.find(context.caller, 'message-batches', params.id)
      const lines = messageResults(v1Batches.results(batch), batch)
      return download(lines, { clock, abort, type: 'application/x-jsonl', fileName: `${batch.id}.jsonl` })
    },
  },
)
