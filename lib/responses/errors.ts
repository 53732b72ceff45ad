import { GatewayError } from '../errors.ts'

const TYPE = 'invalid_request_error'

/** The error for a request that continues an answer of an unknown id, in OpenAI's words. */
export const previousNotFound = (id: string): GatewayError => {
  const message = `Previous response with id '${id}' not found.`
  const param = 'previous_response_id'
  return new GatewayError('INVALID_INPUT', message, {
    details: [{ path: param, message: 'is not known here' }],
    refusal: { status: 400, message, type: TYPE, param, code: 'previous_response_not_found' },
  })
}

/** The error for a reference to an item of an unknown id, in OpenAI's words. */
export const itemNotFound = (id: string): GatewayError => {
  const message = `Item with id '${id}' not found.`
  return new GatewayError('INVALID_INPUT', message, {
    details: [{ path: 'input', message: 'refers to an item that is not known here' }],
    refusal: { status: 404, message, type: TYPE, param: 'input', code: 'item_not_found' },
  })
}

/** The error for an answer of an unknown id. */
export const responseNotFound = (id: string): GatewayError =>
  new GatewayError('NOT_FOUND', `Response with id '${id}' not found.`)
