import { GatewayError } from '#lib/errors.ts'
import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/v1/responses/{id}/cancel',
    surface: 'api',
    access: 'caller',
    changes: true,
    idempotent: 'without-body',
  },
  {
    POST: async ({ context, params, gateway }) => {
      await gateway.responses.find(context.caller, String(params.id))
      throw new GatewayError('INVALID_INPUT', 'Only a response in the background can be cancelled.')
    },
  },
)
