import type { ProviderDefinition } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'
import { fieldsOf } from './shared/lenient.ts'
import type { OpenAiVariant } from './shared/openai-variant.ts'

/**
 * Groq reports usage, and why a stream stopped early, in fields beside OpenAI's protocol. Source: its API reference.
 */
const vendorExtras: OpenAiVariant['vendorExtras'] = chunk => {
  const extras = fieldsOf(chunk.x_groq)
  return { usage: extras?.usage, error: extras?.error }
}

/** Groq. Prices: groq.com/pricing. */
export const groq: ProviderDefinition = {
  id: 'groq',
  defaultBaseUrl: 'https://api.groq.com/openai/v1',
  env: { apiKey: 'GROQ_API_KEY', baseUrl: 'GROQ_BASE_URL', keysPage: 'https://console.groq.com/keys' },
  models: [
    {
      id: 'llama-3.3-70b-versatile',
      contextTokens: 131_072,
      usdPerMillion: { input: 0.59, output: 0.79 },
    },
    { id: 'llama-3.1-8b-instant', contextTokens: 131_072, usdPerMillion: { input: 0.05, output: 0.08 } },
    {
      id: 'openai/gpt-oss-120b',
      contextTokens: 131_072,
      usdPerMillion: { input: 0.15, output: 0.6, cachedInput: 0.075 },
    },
    {
      id: 'openai/gpt-oss-20b',
      contextTokens: 131_072,
      usdPerMillion: { input: 0.075, output: 0.3, cachedInput: 0.0375 },
    },
    { id: 'qwen/qwen3-32b', contextTokens: 131_072, usdPerMillion: { input: 0.29, output: 0.59 } },
  ],
  create: deps =>
    openAiCompatible({ ...deps, variant: { provider: 'groq', vendorPath: '/openai/v1', vendorExtras } }),
}
