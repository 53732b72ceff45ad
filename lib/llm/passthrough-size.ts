import type { Steps } from '../loop-turns.ts'
import { countElements, memberIn } from '../raw-json.ts'
import { type Endpoint, fieldOf, type JsonMember, type PassthroughRequest } from './passthrough.ts'

/** The limit of a completion that names none. Source: OpenAI, "Create completion". */
const USUAL_COMPLETION_TOKENS = 16

const INPUT_NAMES: Readonly<Partial<Record<Endpoint, string>>> = {
  embeddings: 'input',
  moderations: 'input',
  completions: 'prompt',
  rerank: 'documents',
}

/** No vendor makes as much. */
const MOST = 1e9

/** A number of the body that is not negative, rounded up, and at most 1e9; undefined where there is none. */
export const numberIn = (request: PassthroughRequest, name: string): number | undefined => {
  const value = Number(fieldOf(request, name) ?? Number.NaN)
  return Number.isFinite(value) && value >= 0 ? Math.min(MOST, Math.ceil(value)) : undefined
}

/** Counts the inputs of a JSON body, each of which a model reads apart, in steps. A list of numbers alone is one text. */
export function* countInputs(endpoint: Endpoint, members: readonly JsonMember[]): Steps<number> {
  const written = memberIn(members, INPUT_NAMES[endpoint] ?? '') ?? ''
  if (!written.startsWith('[')) return 1
  const { elements, numbers } = yield* countElements(written)
  return elements === numbers ? 1 : elements
}

/** The most output tokens of a request for completions: of every answer to every prompt. */
export const completionTokensOf = (request: PassthroughRequest): number => {
  const answers = Math.max(numberIn(request, 'n') ?? 1, numberIn(request, 'best_of') ?? 1)
  return request.inputs * answers * (numberIn(request, 'max_tokens') ?? USUAL_COMPLETION_TOKENS)
}
