import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  {
    route: '/api/health/ready',
    surface: 'api',
    access: 'public',
    changes: false,
    anyHost: true,
    probe: true,
  },
  {
    GET: async ({ gateway }) =>
      gateway.isReady()
        ? { json: { status: 'ready' } }
        : {
            status: 503,
            json: { status: 'stopping' },
            headers: { 'retry-after': '1' },
          },
  },
)
