import type { ChatLimits } from '../validation/chat.ts'
import type { Environment } from './schema.ts'

/** What a chat may ask at most. */
export const chatLimits = (env: Environment): ChatLimits => ({
  maxPromptCharacters: env.MAX_PROMPT_CHARACTERS,
  maxMessages: env.MAX_MESSAGES,
  maxMessagesCharacters: env.MAX_MESSAGES_CHARACTERS,
  maxOutputTokens: env.MAX_OUTPUT_TOKENS,
})

/** Whole files are asked about in batches. */
export const itemLimits = (env: Environment): ChatLimits => ({
  ...chatLimits(env),
  maxPromptCharacters: env.BATCH_MAX_ITEM_CHARACTERS,
  maxMessagesCharacters: env.BATCH_MAX_ITEM_CHARACTERS,
})
