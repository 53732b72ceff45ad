import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/metrics', surface: 'api', access: 'metrics', changes: false, probe: true },
  {
    GET: async ({ gateway }) => ({
      text: { type: gateway.metrics.contentType, body: await gateway.metrics.text() },
    }),
  },
)
