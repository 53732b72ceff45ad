import type { UpstreamRefusal } from '../../../errors.ts'
import { errorFacts, LONGEST_CODE } from './error-body.ts'
import { type Fields, fieldsOf, parseJson, wordIn } from './lenient.ts'

/** About the gateway's own access and rate, or passing: not the client's business. */
const OURS: ReadonlySet<number> = new Set([401, 402, 403, 408, 429])

/** The type of an event that holds an error, and of the envelope of Anthropic's. */
const NO_TYPE = 'error'

/** Most characters of a message that is gathered from wherever its body has words. */
const MOST_GATHERED = 1_000

type Redact = (text: string) => string

/** An error's body; without a way to mask secrets in it, its words are not passed on. */
type ErrorBody = Readonly<{ body?: unknown; redact?: Redact }>

/** The members of an error in a body, an event or alone. Google puts a body into a list. */
const errorFields = (body: unknown): Fields => {
  const value = fieldsOf(Array.isArray(body) ? body[0] : body)
  return fieldsOf(value?.error) ?? value ?? {}
}

/** A code, which some vendors write as a number. */
const codeIn = (code: unknown): string | undefined => (typeof code === 'number' ? String(code) : wordIn(code))

/**
 * The message and the parameter of an error in another form than OpenAI's and Anthropic's. Secrets are masked before
 * anything is cut, since a part of one would not be recognised.
 */
const gathered = (body: unknown, redact: Redact) => {
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '')
  const { message, params } = errorFacts(redact(text))
  const param = params.find(({ length }) => length <= LONGEST_CODE)
  return { message: redact(message).trim().slice(0, MOST_GATHERED), param: param && redact(param) }
}

/**
 * An upstream's refusal of a request, in its own words.
 *
 * @param status that of the response, or of the error in it
 * @param ours what is said where the upstream has no words
 */
export const refusalOf = (
  { body, redact }: ErrorBody,
  status: number | undefined,
  ours: string,
): UpstreamRefusal | undefined => {
  if (!redact || status === undefined || status < 400 || status >= 500 || OURS.has(status)) return undefined
  const { message, type, param, code } = errorFields(typeof body === 'string' ? parseJson(body) : body)
  const word = (written: string | undefined) => written && redact(written)
  const own = {
    status,
    type: type === NO_TYPE ? undefined : word(wordIn(type)),
    param: word(wordIn(param)),
    code: word(codeIn(code)),
  }
  const text = wordIn(message)
  if (text !== undefined) return { ...own, message: redact(text) }
  const found = gathered(body, redact)
  return { ...own, message: found.message || ours, param: own.param ?? found.param }
}
