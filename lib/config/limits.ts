import type { ChatLimits } from '../validation/chat.ts'
import type { Environment } from './schema.ts'

/** The limits of a chat. */
export const chatLimits = (env: Environment): ChatLimits => ({
  maxPromptCharacters: env.MAX_PROMPT_CHARACTERS,
  maxMessages: env.MAX_MESSAGES,
  maxMessagesCharacters: env.MAX_MESSAGES_CHARACTERS,
  maxOutputTokens: env.MAX_OUTPUT_TOKENS,
})

/** Batch items may hold whole files. */
export const itemLimits = (env: Environment): ChatLimits => ({
  ...chatLimits(env),
  maxPromptCharacters: env.BATCH_MAX_ITEM_CHARACTERS,
  maxMessagesCharacters: env.BATCH_MAX_ITEM_CHARACTERS,
})
