import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'
import type { ChatAddress } from './shared/openai-variant.ts'

const DEPLOYMENT = /\/openai\/deployments\/[^/]+\/[a-z/]+$/
/** The newest version that is generally available. Source: learn.microsoft.com, "Azure OpenAI API version lifecycle". */
const API_VERSION = '2024-10-21'

/** A deployment's own URL requires an API version, and takes keys in another header. */
const addressed = (address: ChatAddress, apiKey: string): ChatAddress => {
  if (!DEPLOYMENT.test(address.url.pathname)) return address
  const url = new URL(address.url)
  if (!url.searchParams.has('api-version')) url.searchParams.set('api-version', API_VERSION)
  const { authorization: _, ...headers } = address.headers
  return { url, headers: { ...headers, 'api-key': apiKey } }
}

/** Azure OpenAI: your own deployments, by their names, at `https://NAME.openai.azure.com/openai/v1`. */
export const azureOpenai: ProviderDefinition = {
  id: 'azure-openai',
  env: {
    apiKey: 'AZURE_OPENAI_API_KEY',
    baseUrl: 'AZURE_OPENAI_BASE_URL',
    keysPage: 'https://portal.azure.com',
  },
  models: [],
  create: deps =>
    openAiCompatible({
      ...deps,
      variant: {
        provider: 'azure-openai',
        vendorPath: '/openai/v1',
        addressed,
        knowsDeveloper: true,
        // A deployment's own URL has chat completions alone.
        ...(!deps.baseUrl.includes('/openai/deployments/') && { hasResponses: true }),
      },
    }),
}
