import { GatewayError } from '../errors.ts'

/** How many levels of arrays and objects a body may have. */
export const DEEPEST_JSON = 64

/** A body that is not valid JSON. */
export const invalidJson = (message: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `body: ${message}`, { details: [{ path: 'body', message }] })

export const nestedTooDeep = (): GatewayError => invalidJson(`is nested deeper than ${DEEPEST_JSON} levels`)
