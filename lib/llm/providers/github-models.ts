import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'

/** GitHub Models: other vendors' models for a GitHub token with the permission `models:read`. */
export const githubModels: ProviderDefinition = {
  id: 'github-models',
  defaultBaseUrl: 'https://models.github.ai/inference',
  env: {
    apiKey: 'GITHUB_MODELS_TOKEN',
    baseUrl: 'GITHUB_MODELS_BASE_URL',
    keysPage: 'https://github.com/settings/tokens',
  },
  models: [{ id: 'openai/gpt-4o-mini' }, { id: 'openai/gpt-4o' }],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: { provider: 'github-models', vendorPath: '/inference', knowsDeveloper: true },
    }),
}
