import { describe, expect, it } from 'vitest'
import type { Item, JobState } from '#lib/batch/types.ts'
import type { V1Batch } from '#lib/batch/v1/types.ts'
import { batchJson, resultLine } from '#lib/http/dialects/openai-batches.ts'

const COUNTS = { total: 2, queued: 0, running: 0, succeeded: 1, failed: 1, cancelled: 0 }
const batch = (changes: Partial<V1Batch> = {}): V1Batch => ({
  id: `batch_${'a'.repeat(32)}`,
  owner: 'guest ada',
  api: 'batches',
  endpoint: '/v1/chat/completions',
  state: 'running',
  createdAt: 1_000_999,
  expiresAt: 87_400_999,
  ...changes,
})
const job = (state: JobState): Partial<V1Batch> => ({
  job: { id: 'batch_1', state, counts: COUNTS, ...(state !== 'running' && { endedAt: 5_000_000 }) },
})

describe('a batch in OpenAI’s form', () => {
  it.each<[string, Partial<V1Batch>]>([
    ['validating', { state: 'validating' }],
    ['failed', { state: 'invalid' }],
    ['in_progress', job('running')],
    ['finalizing', job('completed')],
    ['finalizing', job('failed')],
    ['cancelling', { ...job('running'), cancelledAt: 1 }],
    ['cancelling', { ...job('cancelled'), cancelledAt: 1 }],
    ['completed', { ...job('completed'), state: 'ended' }],
    ['completed', { ...job('failed'), state: 'ended' }],
    // It ended by itself before it could be cancelled, or expire.
    ['finalizing', { ...job('completed'), cancelledAt: 1 }],
    ['completed', { ...job('completed'), state: 'ended', cancelledAt: 1 }],
    ['completed', { ...job('completed'), state: 'ended', expiredAt: 1 }],
    ['cancelled', { ...job('cancelled'), state: 'ended', cancelledAt: 1 }],
    ['cancelled', { state: 'ended', cancelledAt: 1 }],
    ['expired', { ...job('cancelled'), state: 'ended', expiredAt: 1 }],
    ['completed', { state: 'ended' }],
  ])('is %s: %o', (status, changes) => {
    expect(batchJson(batch(changes)).status).toBe(status)
  })

  it('has times in whole seconds, and null for what it has not', () => {
    expect(batchJson(batch({ ...job('completed'), state: 'ended', endedAt: 6_000_500 }))).toMatchObject({
      created_at: 1_000,
      expires_at: 87_400,
      finalizing_at: 5_000,
      completed_at: 6_000,
      cancelled_at: null,
      output_file_id: null,
      errors: null,
      metadata: null,
      request_counts: { total: 2, completed: 1, failed: 1 },
    })
  })
})

describe('a line of results', () => {
  const item: Item = { id: 'a"b', index: 3, state: 'cancelled', attempts: 0 }
  const parsed = (changes: Partial<Item>, of: Partial<V1Batch> = {}) =>
    JSON.parse(resultLine({ ...item, ...changes }, batch(of)))

  it('says why a request has not run', () => {
    expect(parsed({})).toMatchObject({ custom_id: 'a"b', response: null, error: { code: 'batch_cancelled' } })
    expect(parsed({}, { expiredAt: 1 })).toMatchObject({ error: { code: 'batch_expired' } })
  })

  it.each<[number, string, NonNullable<Item['fault']>]>([
    [502, 'provider_error', { code: 'PROVIDER_ERROR', message: 'No.', retryable: true }],
    [
      404,
      'model_not_found',
      { code: 'INVALID_INPUT', message: 'No.', retryable: false, v1: { requestId: 'r', unknownModel: true } },
    ],
    [
      422,
      'odd',
      {
        code: 'INVALID_INPUT',
        message: 'ours',
        retryable: false,
        v1: { requestId: 'r', refusal: { status: 422, message: 'No.', code: 'odd' } },
      },
    ],
  ])('has the status %i and the error %s that the route would have had', (status, code, fault) => {
    expect(parsed({ state: 'failed', fault })).toMatchObject({
      response: {
        status_code: status,
        request_id: fault.v1?.requestId ?? '',
        body: { error: { code, message: 'No.' } },
      },
      error: null,
    })
  })
})
