import { errorFacts } from './error-body.ts'
import { kindOfError } from './error-wording.ts'
import type { Fields } from './lenient.ts'

/** Below this depth any value counts as content. */
const MAX_DEPTH = 3

/**
 * Whether an `error` field describes an error. Some vendors put one beside every answer and leave its fields empty:
 * null, false, zero, empty strings, and objects and arrays of nothing else describe none.
 */
export const describesError = (value: unknown, depth = 0): boolean => {
  if (typeof value !== 'object' || value === null)
    return Boolean(typeof value === 'string' ? value.trim() : value)
  if (depth === MAX_DEPTH) return true
  return Object.values(value).some(one => describesError(one, depth + 1))
}

/** Fields of answers that errors lack. */
const isAnswer = ({ choices, content, delta }: Fields): boolean =>
  choices !== undefined || content !== undefined || delta !== undefined

/** Whether a value without an envelope describes an error: a relay's events may have a message, too. */
const isUnderstood = (value: Fields): boolean => {
  const facts = errorFacts(value)
  return facts.status !== undefined || kindOfError(facts, undefined) !== undefined
}

/** The fields of an error without an envelope: vLLM, Mistral (`object: "error"`), Cohere (`message`), FastAPI (`detail`). */
const isBareError = (value: Fields): boolean => {
  if (value.object === 'error' || value.object === 'Error' || value.type === 'error') return true
  if (isAnswer(value)) return false
  const { message, detail, errors } = value
  return (
    [message, detail, errors].some(one => typeof one === 'string' || Array.isArray(one)) &&
    isUnderstood(value)
  )
}

/**
 * The error in place of an answer, in a successful response or an event of a stream, for `upstreamError`. Undefined
 * where there is none.
 */
export const errorInAnswer = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return errorInAnswer(value[0])
  const fields = value as Fields
  const isNamed = fields.error !== undefined && fields.error !== null && describesError(fields.error)
  return isNamed || isBareError(fields) ? value : undefined
}
