import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/health/live', surface: 'api', access: 'public', changes: false, anyHost: true, probe: true },
  { GET: async () => ({ json: { status: 'ok' } }) },
)
