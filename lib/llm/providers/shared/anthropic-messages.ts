import type { Provider, ReplyHead } from '../../types.ts'
import type { ProviderParts } from '../definition.ts'
import { errorCode, messageEvents, messageFragment, messagesRequest } from './anthropic-chat.ts'
import { type Lenient, parseObject } from './lenient.ts'
import { replyFrom } from './reply-from.ts'
import { retryAfterSeconds } from './retry-after.ts'
import { connectionError, upstreamError } from './upstream-error.ts'
import { asUpstreamResponse, type UpstreamResponse } from './upstream-fetch.ts'

const API_VERSION = '2023-06-01'

type Refusal = Lenient<{ error: { type: string; message: string }; request_id: string }>

/**
 * Anthropic's Messages API, `POST {baseUrl}/v1/messages`.
 * Source: docs.anthropic.com, "Messages" and "Streaming Messages".
 */
export const anthropicMessages = (options: ProviderParts & Readonly<{ provider: string }>): Provider => {
  const { provider, clock } = options
  const url = `${options.baseUrl.replace(/\/+$/, '')}/v1/messages`

  const send = async (body: unknown, signal: AbortSignal): Promise<UpstreamResponse> => {
    const init = {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-api-key': options.apiKey,
        'anthropic-version': API_VERSION,
      },
      body: JSON.stringify(body),
      signal,
    }
    try {
      return asUpstreamResponse(await options.fetch(url, init))
    } catch (thrown) {
      throw connectionError(provider, signal, thrown)
    }
  }

  const refusalOf = async (response: UpstreamResponse) => {
    const refusal = parseObject<Refusal>(await response.text().catch(() => ''))
    return upstreamError({
      provider,
      status: response.status,
      code: errorCode(refusal?.error?.type, refusal?.error?.message),
      retryAfterSeconds: retryAfterSeconds(response.headers, clock.now()),
      upstreamRequestId: response.headers.get('request-id'),
    })
  }

  return {
    id: provider,
    async ask(call, target) {
      const head: ReplyHead = { id: options.newId(), target, cache: 'miss' }
      const response = await send(messagesRequest(call, target), call.signal)
      if (!response.ok) throw await refusalOf(response)
      return replyFrom(response, call, head, {
        whole: body => messageFragment(body, provider),
        event: messageEvents(provider),
      })
    },
  }
}
