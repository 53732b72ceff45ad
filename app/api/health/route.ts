import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/health', surface: 'api', access: 'public', changes: false, anyHost: true, probe: true },
  {
    GET: async ({ gateway }) => {
      const report = gateway.health()
      return { status: report.status === 'unhealthy' ? 503 : 200, json: report }
    },
  },
)
