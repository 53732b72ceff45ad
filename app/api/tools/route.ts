import { serve } from '#lib/gateway/index.ts'

/** The gateway's own tools, and the state of each. */
export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/tools', surface: 'api', access: 'caller', changes: false },
  { GET: async ({ gateway }) => ({ json: { tools: gateway.tools.states() } }) },
)
