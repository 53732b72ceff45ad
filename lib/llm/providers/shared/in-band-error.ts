import type { Fields } from './lenient.ts'

const MAX_DEPTH = 3

/** Whether a value says anything: some relays put an `error` whose fields are all empty beside every answer. */
const saysSomething = (value: unknown, depth = 0): boolean => {
  if (typeof value !== 'object' || value === null) return Boolean(value)
  return depth === MAX_DEPTH || Object.values(value).some(one => saysSomething(one, depth + 1))
}

/** Parts that an answer has and an error has not. */
const isAnswer = ({ choices, content, delta }: Fields): boolean =>
  choices !== undefined || content !== undefined || delta !== undefined

/** The fields of an error without an envelope: vLLM, Mistral (`object: "error"`), Cohere (`message`), FastAPI (`detail`). */
const isBareError = (value: Fields): boolean => {
  if (value.object === 'error' || value.object === 'Error' || value.type === 'error') return true
  const { message, detail, errors } = value
  return !isAnswer(value) && (typeof message === 'string' || saysSomething(detail) || saysSomething(errors))
}

/**
 * The error that stands where an answer should, in a successful response or an event of a stream: for `upstreamError`
 * to read. Undefined where it is none.
 */
export const errorInAnswer = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return errorInAnswer(value[0])
  const fields = value as Fields
  return saysSomething(fields.error) || isBareError(fields) ? value : undefined
}
