import { GatewayError } from '../errors.ts'

const MESSAGE =
  'names a conversation that is held at the provider, where all callers of this gateway share one account; send the whole conversation with each request'

/**
 * The error for a request of Anthropic's format that begins or continues a conversation at the provider. In Anthropic's
 * own words, so that its clients go on without.
 */
export const threadRefused = (): GatewayError => {
  const message = `thread ${MESSAGE}.`
  return new GatewayError('INVALID_INPUT', message, {
    details: [{ path: 'thread', message: MESSAGE }],
    refusal: {
      status: 400,
      message,
      type: 'invalid_request_error',
      param: 'thread',
      code: 'thread_unsupported_request',
      unsupported: ['thread'],
    },
  })
}

/** Whether a body of Anthropic's format does so. */
export const hasThread = (body: unknown): boolean => {
  const { thread } = Object(body) as { thread?: unknown }
  return typeof thread === 'object' && thread !== null
}
