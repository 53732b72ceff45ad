import type { Item, ItemError } from '../../batch/types.ts'
import type { BatchOptions, V1Batch } from '../../batch/v1/types.ts'
import { GatewayError } from '../../errors.ts'
import type { BatchBody } from '../../validation/openai-batches.ts'
import { openAiErrorBody, openAiStatus } from './openai-error.ts'
import { unixSeconds } from './openai-files.ts'

const MS_PER_SECOND = 1000

/** The body of `POST /v1/batches` as the options of a batch. */
export const batchOptions = (body: BatchBody): BatchOptions => {
  const { input_file_id: inputFileId, endpoint, metadata, output_expires_after: expiry } = body
  return {
    inputFileId,
    endpoint,
    ...(metadata && { metadata }),
    ...(expiry && { outputTtlMs: expiry.seconds * MS_PER_SECOND }),
  }
}

/** Whether a batch was ended before all its requests had. A job that had ended by itself was not. */
const wasStopped = ({ job, cancelledAt, expiredAt }: V1Batch): boolean =>
  job ? job.state === 'cancelled' : cancelledAt !== undefined || expiredAt !== undefined

const runningStatus = (batch: V1Batch): string => {
  const { job, cancelledAt } = batch
  const isOpen = job?.state === 'queued' || job?.state === 'running'
  if (cancelledAt !== undefined && (isOpen || wasStopped(batch))) return 'cancelling'
  return isOpen ? 'in_progress' : 'finalizing'
}

/** OpenAI's status of a batch. One of which every request failed is completed, too. */
const statusOf = (batch: V1Batch): string => {
  switch (batch.state) {
    case 'validating':
      return 'validating'
    case 'invalid':
      return 'failed'
    case 'running':
      return runningStatus(batch)
    case 'ended':
      if (!wasStopped(batch)) return 'completed'
      return batch.expiredAt === undefined ? 'cancelled' : 'expired'
  }
}

const at = (time: number | undefined): number | null => (time === undefined ? null : unixSeconds(time))

const timesOf = (batch: V1Batch, status: string) => {
  const { begunAt, cancelledAt, endedAt, job } = batch
  return {
    in_progress_at: at(begunAt),
    expires_at: at(batch.expiresAt),
    finalizing_at: at(job?.endedAt),
    completed_at: status === 'completed' ? at(endedAt) : null,
    failed_at: status === 'failed' ? at(endedAt) : null,
    expired_at: status === 'expired' ? at(endedAt) : null,
    cancelling_at: at(cancelledAt),
    cancelled_at: status === 'cancelled' ? at(endedAt) : null,
  }
}

const usageJson = ({ usage }: V1Batch) =>
  usage && {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  }

/** A batch as OpenAI's batch object. */
export const batchJson = (batch: V1Batch) => {
  const status = statusOf(batch)
  const { job, errors } = batch
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    errors: errors
      ? {
          object: 'list',
          data: errors.map(({ code, message, param = null, line = null }) => ({
            code,
            message,
            param,
            line,
          })),
        }
      : null,
    input_file_id: batch.inputFileId ?? null,
    completion_window: '24h',
    status,
    output_file_id: batch.outputFileId ?? null,
    error_file_id: batch.errorFileId ?? null,
    created_at: unixSeconds(batch.createdAt),
    ...timesOf(batch, status),
    request_counts: {
      total: job?.counts.total ?? 0,
      completed: job?.counts.succeeded ?? 0,
      failed: job?.counts.failed ?? 0,
    },
    usage: usageJson(batch) ?? null,
    metadata: batch.metadata ?? null,
  }
}

/** The error of a failed item. */
export const itemError = ({ code, message, retryable, v1 = { requestId: '' } }: ItemError): GatewayError => {
  const { requestId: _, ...more } = v1
  return new GatewayError(code, message, { retryable, ...more })
}

const NOT_RUN = {
  expired: {
    code: 'batch_expired',
    message: 'This request could not be executed before the completion window expired.',
  },
  cancelled: {
    code: 'batch_cancelled',
    message: 'This request was not executed, because the batch was cancelled.',
  },
} as const

const lineOf = (item: Item, batch: V1Batch, response: string, error: object | null): string => {
  const head = { id: `batch_req_${batch.id.replace('batch_', '')}_${item.index}`, custom_id: item.id }
  return `${JSON.stringify(head).slice(0, -1)},"response":${response},"error":${JSON.stringify(error)}}`
}

const responseOf = (status: number, requestId: string, body: string): string =>
  `{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${body}}`

/** The result of an item as a line of OpenAI's result files: with the body that its route would have answered. */
export const resultLine = (item: Item, batch: V1Batch): string => {
  const { response, fault, state } = item
  if (response?.v1) return lineOf(item, batch, responseOf(200, response.v1.requestId, response.v1.json), null)
  if (state === 'failed' && fault) {
    const error = itemError(fault)
    const body = JSON.stringify(openAiErrorBody(error))
    return lineOf(item, batch, responseOf(openAiStatus(error), fault.v1?.requestId ?? '', body), null)
  }
  return lineOf(item, batch, 'null', batch.expiredAt === undefined ? NOT_RUN.cancelled : NOT_RUN.expired)
}
