import { elementsOf } from '../raw-json.ts'
import { fieldOf, type PassthroughRequest } from './passthrough.ts'

/** The limit of a completion that names none. Source: OpenAI, "Create completion". */
const USUAL_COMPLETION_TOKENS = 16

const INPUT_NAMES: Readonly<Partial<Record<PassthroughRequest['endpoint'], string>>> = {
  embeddings: 'input',
  moderations: 'input',
  completions: 'prompt',
  rerank: 'documents',
}

/** One text as tokens: a list of numbers alone. */
const TOKEN_LIST = /^\[[\s\d.,eE+-]*\]$/

/** A member as it is written; undefined where it is absent, or the body is a form. */
export const writtenMember = ({ body }: PassthroughRequest, name: string): string | undefined =>
  body.kind === 'json' ? body.members.find(([known]) => known === name)?.[1] : undefined

/** No vendor makes as much. */
const MOST = 1e9

/** A number of the body that is not negative, rounded up, and at most 1e9; undefined where there is none. */
export const numberIn = (request: PassthroughRequest, name: string): number | undefined => {
  const value = Number(fieldOf(request, name) ?? Number.NaN)
  return Number.isFinite(value) && value >= 0 ? Math.min(MOST, Math.ceil(value)) : undefined
}

/** How many inputs a request has, each of which a model reads apart: texts, or lists of tokens; at least 1. */
export const inputsOf = (request: PassthroughRequest): number => {
  const written = writtenMember(request, INPUT_NAMES[request.endpoint] ?? '')?.trim() ?? ''
  if (!written.startsWith('[') || TOKEN_LIST.test(written)) return 1
  return Math.max(1, elementsOf(written).length)
}

/** The most output tokens of a request for completions: of every answer to every prompt. */
export const completionTokensOf = (request: PassthroughRequest): number => {
  const answers = Math.max(numberIn(request, 'n') ?? 1, numberIn(request, 'best_of') ?? 1)
  return inputsOf(request) * answers * (numberIn(request, 'max_tokens') ?? USUAL_COMPLETION_TOKENS)
}
