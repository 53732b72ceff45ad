import { GatewayError } from '../../errors.ts'
import type { Call } from '../../llm/types.ts'
import { memberIn } from '../../raw-json.ts'

const refused = (message: string, path: string, issue: string): GatewayError =>
  new GatewayError('INVALID_INPUT', message, { details: [{ path, message: issue }] })

/**
 * What a client may not ask for where its answer is rewritten: several answers at once, and calls of the older
 * `functions`, are read only as they pass, in the client's own format.
 *
 * @throws GatewayError INVALID_INPUT
 */
export const assertRewritable = ({ parameters, raw }: Call): void => {
  if ((parameters?.choices ?? 1) > 1)
    throw refused('Only one answer can be asked for where guardrails change answers.', 'n', 'must be 1')
  const functions = raw?.format === 'openai-chat' ? memberIn(raw.members, 'functions') : undefined
  if (functions !== undefined && functions !== 'null')
    throw refused(
      'Functions cannot be used where guardrails change answers: use tools.',
      'functions',
      'must be absent',
    )
}
