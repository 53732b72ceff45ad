import { GatewayError } from '../errors.ts'

const LARGE_ID = /"(?:custom_)?id"\s*:\s*-?\d{16}/

/** An id written as a number beyond a double's precision, as its original digits (ECMAScript's source text access). */
const exactId = (key: string, value: unknown, context?: Readonly<{ source?: string }>): unknown =>
  (key === 'id' || key === 'custom_id') && Number.isInteger(value) && !Number.isSafeInteger(value)
    ? (context?.source ?? value)
    : value

/** `JSON.parse`, with `id` and `custom_id` as text where they are numbers beyond 2^53. Throws SyntaxError. */
export const parseWithExactIds = (text: string): unknown =>
  text.includes('id"') && LARGE_ID.test(text) ? JSON.parse(text, exactId) : JSON.parse(text)

/** How many levels of arrays and objects a body may have below its own. */
export const DEEPEST_JSON = 64

/** A body that is not valid JSON. */
export const invalidJson = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `body: ${message}`, { details: [{ path: 'body', message }] })

export const nestedTooDeep = (): GatewayError => invalidJson(`is nested deeper than ${DEEPEST_JSON} levels`)
