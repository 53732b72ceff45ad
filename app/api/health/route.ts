import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/health', surface: 'api', access: 'public', changes: false, anyHost: true, probe: true },
  {
    GET: async ({ gateway }) => {
      const report = gateway.health()
      if (report.status !== 'unhealthy') return { json: report }
      return { status: 503, json: report, headers: { 'retry-after': '1' } }
    },
  },
)
