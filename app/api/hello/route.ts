import { serve } from '#lib/gateway/index.ts'

/** Claude Code asks for it to see whether it is connected. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/hello', surface: 'api', access: 'public', changes: false },
  { GET: async () => ({}) },
)
