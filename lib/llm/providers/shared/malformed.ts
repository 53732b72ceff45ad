import { GatewayError } from '../../../errors.ts'
import { vendorName } from '../vendor-name.ts'
import { malformedResponse } from './upstream-error.ts'

/** A response is not what its protocol allows. `message` describes the defect, never the content. */
export class MalformedResponse extends Error {
  override readonly name = 'MalformedResponse'
  /** Whether the same request would get the same response, so that it is not retried. */
  readonly isFinal: boolean

  constructor(message: string, { isFinal = false, cause }: { isFinal?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.isFinal = isFinal
  }
}

/** A body whose length differs from its Content-Length. */
export const wrongLength = (cause?: unknown): MalformedResponse =>
  new MalformedResponse('body length differs from Content-Length', { isFinal: true, cause })

/** The caller's error for a response that could not be parsed. */
export const malformedError = (provider: string, thrown: unknown): GatewayError => {
  if (!(thrown instanceof MalformedResponse)) return malformedResponse(provider, 'an unknown shape', thrown)
  if (!thrown.isFinal) return malformedResponse(provider, thrown.message, thrown.cause)
  return new GatewayError(
    'PROVIDER_ERROR',
    `${vendorName(provider)} sent a response that couldn't be read (${thrown.message}).`,
    { cause: thrown, retryable: false },
  )
}
