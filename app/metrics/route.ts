import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/metrics', surface: 'api', changes: false, probe: true },
  {
    GET: async ({ context, gateway }) => {
      gateway.assertScraper(context.client)
      return { text: { type: gateway.metrics.contentType, body: await gateway.metrics.text() } }
    },
  },
)
