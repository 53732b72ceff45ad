import { serve } from '#lib/gateway/index.ts'
import { formResponse } from '#lib/http/dialects/passthrough/reply.ts'
import { formCall } from '#lib/http/dialects/passthrough/request.ts'

/** The caller is admitted before the files are read. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/images/edits',
    surface: 'images',
    access: 'caller',
    changes: true,
    refusedIsFree: true,
    idempotent: true,
  },
  {
    POST: async ({ request, context, gateway, abort }) =>
      formResponse(await formCall('images/edits', request, context, gateway), gateway.answerUpload, {
        clock: gateway.clock,
        abort,
      }),
  },
)
