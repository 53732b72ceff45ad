import { objectOf } from '../../../raw-json.ts'
import type { Call, Target } from '../../types.ts'
import type { Protocol } from './http-provider.ts'
import { isRawFor } from './raw-request.ts'
import { responseEvents, responsePart } from './responses-reply.ts'

export const RESPONSES_PATH = '/responses'

/** The client's body with the vendor's name of the model. Everything else stays as it was written. */
const requestOf = (call: Call, { model, provider }: Target): string => {
  if (!isRawFor(call, 'openai-responses')) throw new Error('A call in another form than Responses.')
  const { members, resolved } = call.raw
  const sent = resolved && resolved.knownTo !== provider ? resolved.members : members
  return objectOf(sent.map(([name, value]) => [name, name === 'model' ? JSON.stringify(model) : value]))
}

/** `POST {baseUrl}/responses`, for calls of clients that speak it. Source: OpenAI, "Create a model response". */
export const responsesProtocol = (
  provider: string,
  address: Protocol['address'],
  redact: (text: string) => string,
): Protocol => ({
  address,
  request: requestOf,
  warnings: () => [],
  omitted: () => [],
  requestIdHeader: 'x-request-id',
  translators: () => ({
    whole: body => responsePart(body, { provider, redact }),
    event: responseEvents({ provider, redact }),
  }),
})
