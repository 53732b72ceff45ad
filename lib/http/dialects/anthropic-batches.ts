import type { Item } from '../../batch/types.ts'
import type { Listed, V1Batch } from '../../batch/v1/types.ts'
import { isoTimeOrNull } from '../../clock.ts'
import type { AccessRules } from '../access-rules.ts'
import { transportOf } from '../transport.ts'
import { anthropicErrorBody } from './anthropic-messages/error.ts'
import { itemError } from './openai-batches.ts'
import { openAiStatus } from './openai-error.ts'

/** Anthropic counts what has ended only once all of it has. */
const countsOf = ({ state, job, expiredAt }: V1Batch) => {
  const { total = 0, succeeded = 0, failed = 0, cancelled = 0 } = job?.counts ?? {}
  if (state !== 'ended') return { processing: total, succeeded: 0, errored: 0, canceled: 0, expired: 0 }
  const isExpired = expiredAt !== undefined
  return {
    processing: 0,
    succeeded,
    errored: failed,
    canceled: isExpired ? 0 : cancelled,
    expired: isExpired ? cancelled : 0,
  }
}

const statusOf = ({ state, cancelledAt }: V1Batch): string => {
  if (state === 'ended') return 'ended'
  return cancelledAt === undefined ? 'in_progress' : 'canceling'
}

/** A batch as Anthropic's message batch. @param origin where this gateway is reached */
export const messageBatchJson = (batch: V1Batch, origin: string) => ({
  id: batch.id,
  type: 'message_batch',
  processing_status: statusOf(batch),
  request_counts: countsOf(batch),
  created_at: isoTimeOrNull(batch.createdAt),
  expires_at: isoTimeOrNull(batch.expiresAt),
  ended_at: batch.state === 'ended' ? isoTimeOrNull(batch.endedAt) : null,
  cancel_initiated_at: isoTimeOrNull(batch.cancelledAt),
  archived_at: null,
  results_url: batch.state === 'ended' ? `${origin}/v1/messages/batches/${batch.id}/results` : null,
})

/** A page of a list in Anthropic's form. */
export const messageBatchList = ({ entries, hasMore }: Listed<V1Batch>, origin: string) => ({
  data: entries.map(batch => messageBatchJson(batch, origin)),
  has_more: hasMore,
  first_id: entries[0]?.id ?? null,
  last_id: entries.at(-1)?.id ?? null,
})

const resultOf = ({ response, fault, state }: Item, { expiredAt }: V1Batch): string => {
  if (response?.v1) return `{"type":"succeeded","message":${response.v1.json}}`
  if (state !== 'failed' || !fault) return `{"type":"${expiredAt === undefined ? 'canceled' : 'expired'}"}`
  const error = itemError(fault)
  const body = anthropicErrorBody(error, openAiStatus(error), fault.v1?.requestId ?? '')
  return JSON.stringify({ type: 'errored', error: body })
}

/** The results of a batch, one JSON object a line. */
export async function* messageResults(items: AsyncIterable<Item>, batch: V1Batch): AsyncGenerator<string> {
  for await (const item of items)
    yield `{"custom_id":${JSON.stringify(item.id)},"result":${resultOf(item, batch)}}\n`
}

/** Where the client reaches this gateway: its public address, or else what the request says. */
export const originOf = (request: Request, rules: AccessRules): string => {
  if (rules.publicUrl) return rules.publicUrl.origin
  const { hop, scheme = 'http' } = transportOf(request, rules)
  return `${scheme}://${hop.host ?? request.headers.get('host') ?? new URL(request.url).host}`
}
