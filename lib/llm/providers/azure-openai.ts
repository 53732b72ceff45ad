import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/openai-compatible.ts'

/** Azure OpenAI: your own deployments, by their names, at `https://NAME.openai.azure.com/openai/v1`. */
export const azureOpenai: ProviderDefinition = {
  id: 'azure-openai',
  env: {
    apiKey: 'AZURE_OPENAI_API_KEY',
    baseUrl: 'AZURE_OPENAI_BASE_URL',
    keysPage: 'https://portal.azure.com',
  },
  models: [],
  create: parts => openAiCompatible({ ...parts, dialect: { provider: 'azure-openai' } }),
}
