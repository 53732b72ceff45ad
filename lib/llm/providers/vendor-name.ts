const NAMES: Readonly<Record<string, string>> = {
  openai: 'OpenAI',
  'azure-openai': 'Azure OpenAI',
  anthropic: 'Anthropic',
  gemini: 'Gemini',
  mistral: 'Mistral',
  groq: 'Groq',
  ollama: 'Ollama',
  vllm: 'vLLM',
  'github-models': 'GitHub Models',
  openrouter: 'OpenRouter',
  stability: 'Stability AI',
}

/** A provider's name as its vendor writes it, for messages; its id where it has none here. */
export const vendorName = (provider: string): string =>
  Object.hasOwn(NAMES, provider) ? (NAMES[provider] ?? provider) : provider
