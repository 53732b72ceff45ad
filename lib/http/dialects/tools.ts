import { GatewayError } from '../../errors.ts'
import type { FailureReason, ToolRun } from '../../tools/types.ts'
import type { RouteResponse } from '../route-response.ts'

/** The tool in a request's path. */
export const toolNameOf = ({ url }: Pick<Request, 'url'>): string =>
  new URL(url).pathname.split('/').at(-1) ?? ''

/** Failures that the same request does not mend by itself. */
const FINAL_FAILURES: ReadonlySet<FailureReason> = new Set(['refused', 'rejected', 'redirect', 'too-large'])

const failure = (run: Extract<ToolRun, { ok: false }>): GatewayError => {
  const { reason, message, details } = run
  if (reason === 'arguments')
    return new GatewayError('INVALID_INPUT', message, { ...(details && { details }) })
  if (reason === 'withheld') return new GatewayError('CONTENT_BLOCKED', message)
  return new GatewayError('TOOL_EXECUTION', message, { retryable: !FINAL_FAILURES.has(reason) })
}

/**
 * A run of a tool as JSON. Throws its failure: INVALID_INPUT for the arguments, CONTENT_BLOCKED where a
 * guardrail withholds it, else TOOL_EXECUTION.
 */
export const toolResponse = (run: ToolRun): RouteResponse => {
  if (!run.ok) throw failure(run)
  return { json: { ...run.result, cache: run.cache } }
}
