import { anthropic } from './anthropic/anthropic.ts'
import { azureOpenai } from './azure-openai.ts'
import type { ProviderDefinition } from './definition.ts'
import { gemini } from './gemini.ts'
import { githubModels } from './github-models.ts'
import { groq } from './groq.ts'
import { mistral } from './mistral.ts'
import { ollama } from './ollama.ts'
import { openai } from './openai.ts'
import { compatible } from './openai-compatible.ts'
import { openrouter } from './openrouter.ts'
import { stability } from './stability.ts'
import { vllm } from './vllm.ts'

/** Every vendor whose models chat, the preferred default first. One line each. */
export const PROVIDERS: readonly ProviderDefinition[] = [
  openai,
  anthropic,
  gemini,
  mistral,
  groq,
  githubModels,
  openrouter,
  azureOpenai,
  ollama,
  vllm,
  compatible,
]

/** Vendors without chat. */
export const MEDIA_PROVIDERS: readonly ProviderDefinition[] = [stability]
