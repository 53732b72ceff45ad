import OpenAI, { APIError } from 'openai'
import type { Clock } from '../../../clock.ts'
import type { Call, Provider, ReplyHead, Target } from '../../types.ts'
import { chatRequest, chunkFragment, completionFragment, type OpenAiDialect } from './openai-chat.ts'
import { replyFrom } from './reply-from.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { connectionError, upstreamError } from './upstream-error.ts'
import { asUpstreamResponse, type UpstreamResponse } from './upstream-fetch.ts'

export type OpenAiCompatibleOptions = Readonly<{
  dialect: OpenAiDialect
  apiKey: string
  baseUrl: string
  fetch: typeof fetch
  clock: Clock
  newId: () => string
}>

const LONGER_THAN_ANY_CALL_MS = 60 * 60 * 1000

/**
 * Anything that speaks `POST {baseUrl}/chat/completions`. The official client builds and sends the request;
 * its answer is taken raw and parsed once, because its own stream iterator costs ten times as much.
 */
export const openAiCompatible = (options: OpenAiCompatibleOptions): Provider => {
  const { dialect, clock } = options
  const provider = dialect.provider
  const client = new OpenAI({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    fetch: options.fetch,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: LONGER_THAN_ANY_CALL_MS,
    logLevel: 'off',
  })

  const send = async (call: Call, target: Target): Promise<UpstreamResponse> => {
    try {
      const sent = client.chat.completions.create(chatRequest(call, target, dialect), { signal: call.signal })
      return asUpstreamResponse(await sent.asResponse())
    } catch (thrown) {
      if (!(thrown instanceof APIError) || thrown.status === undefined)
        throw connectionError(provider, call.signal, thrown)
      throw upstreamError({
        provider,
        status: thrown.status,
        code: thrown.code ?? thrown.type,
        retryAfterSeconds: thrown.headers && retryAfterSeconds(thrown.headers, clock.now()),
        upstreamRequestId: thrown.requestID,
      })
    }
  }

  return {
    id: provider,
    async ask(call, target) {
      const head: ReplyHead = { id: options.newId(), target, cache: 'miss' }
      return replyFrom(await send(call, target), call, head, {
        whole: body => completionFragment(body, dialect),
        event: event => chunkFragment(event, dialect),
      })
    },
  }
}
