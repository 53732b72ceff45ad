import { GatewayError } from '../../../errors.ts'

/**
 * What OpenAI takes only over `/responses`, by its refusal of a chat completion: calls with `tools` of a model, unless it
 * does not reason, or every call of it (`model`).
 */
export type RefusedChat = 'tools' | 'model'

const SENTENCES: readonly (readonly [RefusedChat, RegExp])[] = [
  ['tools', /function tools with reasoning_effort are not supported\b.*\bchat\/completions/i],
  ['model', /only supported in \/?v1\/responses\b/i],
]

/** Undefined for any other error. */
export const refusedChat = (thrown: unknown): RefusedChat | undefined => {
  const words = thrown instanceof GatewayError ? thrown.refusal?.message : undefined
  return words === undefined ? undefined : SENTENCES.find(([, sentence]) => sentence.test(words))?.[0]
}
