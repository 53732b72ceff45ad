import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/metrics', surface: 'rest', changes: false, probe: true },
  {
    GET: async ({ visit, gateway }) => {
      gateway.assertScraper(visit.origin)
      return { text: { type: gateway.metrics.contentType, body: await gateway.metrics.text() } }
    },
  },
)
