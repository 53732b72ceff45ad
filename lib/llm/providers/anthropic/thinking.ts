import type { ModelParameters } from '../../message.ts'
import type { Call } from '../../types.ts'
import { isForced } from './answer-form.ts'
import type { ClaudeModel } from './models.ts'

/** Anthropic's least number of tokens. */
const LEAST_TOKENS = 1_024

/** Tokens of reasoning by effort. */
const EFFORT_TOKENS: ReadonlyMap<string, number> = new Map([
  ['low', LEAST_TOKENS],
  ['medium', 4_096],
  ['high', 16_384],
  ['xhigh', 32_768],
  ['max', 32_768],
])

/** Efforts that need no reasoning: none, and less than Anthropic's least. */
const WITHOUT_REASONING: ReadonlySet<string> = new Set(['none', 'minimal'])

/**
 * How a model is asked to think. `default`: the request does not say. `low`: as little as it can, which it counts within the
 * answer. `tokens` are allowed beside the answer.
 */
export type Thinking =
  | Readonly<{ mode: 'default' | 'off' | 'low' }>
  | Readonly<{ mode: 'budget'; tokens: number }>
  | Readonly<{ mode: 'adaptive'; tokens: number; effort: string }>

const effortOf = (tokens: number): string =>
  [...EFFORT_TOKENS].find(([, most]) => tokens <= most)?.[0] ?? 'high'

/** What a call asks for; undefined where it asks for nothing that Anthropic knows. */
const wanted = ({ reasoningTokens, reasoningEffort }: ModelParameters) => {
  const tokens = reasoningTokens ?? EFFORT_TOKENS.get(reasoningEffort ?? '')
  if (tokens === undefined) return undefined
  const isKnown = reasoningEffort !== undefined && EFFORT_TOKENS.has(reasoningEffort)
  return { tokens: Math.max(LEAST_TOKENS, tokens), effort: isKnown ? reasoningEffort : effortOf(tokens) }
}

/** Whether a call asks for an answer without reasoning. */
const isUnwanted = ({ reasoningTokens, reasoningEffort = '' }: ModelParameters): boolean =>
  reasoningTokens === undefined ? WITHOUT_REASONING.has(reasoningEffort) : reasoningTokens <= 0

/** An earlier tool call has lost its reasoning, which a number of tokens would require. */
const hasCallWithoutReasoning = (messages: Call['messages']): boolean =>
  messages.some(
    message =>
      message.role === 'assistant' &&
      message.toolCalls &&
      !message.reasoning?.some(one => one.signature ?? one.redacted),
  )

/** It is asked of a conversation several times: for its request, its warnings and its budget. */
const known = new WeakMap<Call['messages'], boolean>()

const isHistoryLost = ({ messages }: Call): boolean => {
  const isLost = known.get(messages) ?? hasCallWithoutReasoning(messages)
  known.set(messages, isLost)
  return isLost
}

export const thinkingFor = (call: Call, model: ClaudeModel): Thinking => {
  const { parameters = {} } = call
  if (isUnwanted(parameters)) {
    if (!model.thinksByDefault) return { mode: 'default' }
    return { mode: model.canStopThinking ? 'off' : 'low' }
  }
  const asked = wanted(parameters)
  if (!asked || model.thinking === 'none' || isForced(parameters, model)) return { mode: 'default' }
  const { tokens, effort } = asked
  if (model.thinking === 'adaptive')
    return { mode: 'adaptive', tokens, effort: effort === 'xhigh' && !model.takesXhigh ? 'high' : effort }
  return isHistoryLost(call) ? { mode: 'default' } : { mode: 'budget', tokens }
}

/** Whether a call asks for reasoning that its request does not ask for. */
export const isThinkingLost = (parameters: ModelParameters, thinking: Thinking): boolean => {
  const { reasoningTokens, reasoningEffort } = parameters
  const isAsked = reasoningTokens !== undefined || reasoningEffort !== undefined
  return isAsked && !isUnwanted(parameters) && thinking.mode === 'default'
}

/** Whether a request has the model think. Left to its default, it takes what it takes. */
export const isThinkingOn = (thinking: Thinking): boolean =>
  thinking.mode === 'budget' || thinking.mode === 'adaptive'
