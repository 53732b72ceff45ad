import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/models', surface: 'rest' },
  {
    GET: async ({ visit, gateway }) => {
      await gateway.admit(visit)
      const models = gateway.catalog.list().map(({ target, facts, available }) => ({
        id: target.name,
        provider: target.provider,
        contextTokens: facts.contextTokens ?? null,
        inputUsdPerMillion: facts.usdPerMillion?.input ?? null,
        outputUsdPerMillion: facts.usdPerMillion?.output ?? null,
        available,
        ...(target.name === gateway.catalog.defaultModel && { default: true }),
      }))
      return { json: { models } }
    },
  },
)
