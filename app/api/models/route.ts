import { serve } from '#lib/gateway/index.ts'

export const { GET, POST, PUT, PATCH, DELETE, OPTIONS } = serve(
  { route: '/api/models', surface: 'api', access: 'caller', changes: false },
  {
    GET: async ({ context, gateway }) => {
      const chatting = gateway.catalog.list().filter(({ facts }) => facts.kind === undefined)
      const models = chatting.map(({ target, facts, available }) => ({
        id: target.name,
        provider: target.provider,
        contextTokens: facts.contextTokens ?? null,
        inputUsdPerMillion: facts.usdPerMillion?.input ?? null,
        outputUsdPerMillion: facts.usdPerMillion?.output ?? null,
        available,
        ...(target.name === gateway.chatDefaults.model && { default: true }),
      }))
      const aliases = [...gateway.aliases.values()].map(({ name, strategy, targets }) => ({
        id: name,
        provider: 'alias',
        contextTokens: null,
        inputUsdPerMillion: null,
        outputUsdPerMillion: null,
        available: true,
        strategy,
        targets: targets.map(({ target }) => target.name),
        ...(name === gateway.chatDefaults.model && { default: true }),
      }))
      const all = [...aliases, ...models]
      return { json: { models: all.filter(({ id }) => gateway.mayUseModel(context.caller, id)) } }
    },
  },
)
