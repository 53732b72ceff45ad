import { objectOf } from '../../../raw-json.ts'
import type { Call, Target } from '../../types.ts'
import type { Protocol } from './http-provider.ts'
import { isRawFor } from './raw-request.ts'
import type { ReplyPart } from './reply-part.ts'
import { responseEvents, responsePart } from './responses-reply.ts'
import { responsesOmitted, responsesRequest, responsesWarnings } from './responses-request.ts'
import type { Unsupported } from './unsupported-parameters.ts'

export const RESPONSES_PATH = '/responses'

const FORMAT = 'openai-responses'

/**
 * The client's body with the vendor's name of the model, and everything else as it was written; a call of another format
 * is translated.
 */
const requestOf = (call: Call, target: Target, unsupported: Unsupported): object | string => {
  if (!isRawFor(call, FORMAT)) return responsesRequest(call, target, unsupported)
  const { model, provider } = target
  const { members, resolved } = call.raw
  const sent = resolved && resolved.knownTo !== provider ? resolved.members : members
  return objectOf(sent.map(([name, value]) => [name, name === 'model' ? JSON.stringify(model) : value]))
}

/** A part without the upstream's own messages, which only a client of the same format gets. */
const withoutWire = (part: ReplyPart): ReplyPart =>
  part.events ? { ...part, events: part.events.filter(({ type }) => type !== 'wire') } : part

/** `POST {baseUrl}/responses`. Source: OpenAI, "Create a model response". */
export const responsesProtocol = (
  provider: string,
  address: Protocol['address'],
  redact: (text: string) => string,
): Protocol => ({
  address,
  request: requestOf,
  omitted: (call, target, unsupported) =>
    isRawFor(call, FORMAT) ? [] : responsesOmitted(call, target, unsupported),
  warnings: (call, target, unsupported, omitted) =>
    isRawFor(call, FORMAT) ? [] : responsesWarnings(call, target, unsupported, omitted),
  requestIdHeader: 'x-request-id',
  translators: call => {
    const sent = isRawFor(call, FORMAT) ? (part: ReplyPart) => part : withoutWire
    const event = responseEvents({ provider, redact })
    return {
      whole: body => sent(responsePart(body, { provider, redact })),
      event: one => sent(event(one)),
    }
  },
})
