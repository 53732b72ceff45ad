/** Parameters that a model accepts, guessed from its name. The model's errors correct a wrong guess. */
export type NameGuess = Readonly<{
  /** Takes `max_completion_tokens` in place of `max_tokens`. */
  usesMaxCompletionTokens: boolean
  /** Accepts only its default temperature. */
  hasFixedTemperature: boolean
}>

/**
 * OpenAI's reasoning models under any provider's name of them: `o3-mini`, `gpt-5.1-2025-11-13`, `openai/gpt-5`,
 * `ft:o4-mini-2025-04-16:acme::abc123`. Source: OpenAI, "Reasoning models".
 */
const REASONING = /(?:^(?:[\w-]+:)?|\/)(?:o[1-9]|gpt-5)(?=$|[-.:@])/i

/** Chat variants without reasoning accept a temperature: `gpt-5-chat-latest`. */
const TALKING = /(?:^(?:[\w-]+:)?|\/)gpt-5[\w.]*-chat(?=$|[-.:@])/i

/** The first guess of a model's parameters. */
export const guessFromName = (model: string): NameGuess => {
  const isReasoning = REASONING.test(model)
  return { usesMaxCompletionTokens: isReasoning, hasFixedTemperature: isReasoning && !TALKING.test(model) }
}
