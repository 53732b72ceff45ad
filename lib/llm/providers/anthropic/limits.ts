import type { Call, Target } from '../../types.ts'
import type { OutputLimits } from '../definition.ts'
import { isRawFor } from '../shared/raw-request.ts'
import { type ClaudeModel, claudeModel } from './models.ts'
import { type Thinking, thinkingFor } from './thinking.ts'

/** Anthropic requires a limit: these are for a call without one. */
const USUAL_ANSWER = 16_384
/** Tokens beside the usual answer where the model thinks unasked: Anthropic counts that within the limit. */
const USUAL_THINKING = 16_384
/** Fewest output tokens that reasoning leaves for the answer, of the most that the model has. */
const LEAST_ANSWER = 1_024

const usualAnswer = ({ usualOutputTokens, thinksByDefault }: ClaudeModel, { mode }: Thinking): number => {
  const thinking = thinksByDefault && (mode === 'default' || mode === 'low') ? USUAL_THINKING : 0
  return (usualOutputTokens ?? USUAL_ANSWER) + thinking
}

/** The limits of a translated call. Their sum is what is sent, never more than the model's most. */
export const limitsFor = (call: Call, model: ClaudeModel, thinking: Thinking): OutputLimits => {
  const { mostOutputTokens = Number.POSITIVE_INFINITY } = model
  const reasoning = 'tokens' in thinking ? Math.min(thinking.tokens, mostOutputTokens - LEAST_ANSWER) : 0
  const answer = call.maxOutputTokens ?? usualAnswer(model, thinking)
  return { answer: Math.min(answer, mostOutputTokens - reasoning), reasoning }
}

/** The limits of a call that is translated: Anthropic takes them as one. */
export const outputLimits = (call: Call, target: Target): OutputLimits | undefined => {
  if (isRawFor(call, 'anthropic-messages')) return undefined
  const model = claudeModel(target.model)
  return limitsFor(call, model, thinkingFor(call, model))
}
