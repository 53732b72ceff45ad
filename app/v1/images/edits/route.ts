import { serve } from '#lib/gateway/index.ts'
import { passthroughResponse, thenRemoving } from '#lib/http/dialects/passthrough/reply.ts'
import { formCall } from '#lib/http/dialects/passthrough/request.ts'

/** The caller is admitted before the files are read. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/v1/images/edits', surface: 'images', access: 'caller', changes: true, readsFiles: true },
  {
    POST: async ({ request, context, gateway, abort }) => {
      const { call, dispose } = await formCall('images/edits', request, context, gateway)
      try {
        const reply = await gateway.answerUpload(call)
        const response = await passthroughResponse(reply, { clock: gateway.clock, abort })
        return await thenRemoving(response, dispose)
      } catch (error) {
        await dispose()
        throw error
      }
    },
  },
)
