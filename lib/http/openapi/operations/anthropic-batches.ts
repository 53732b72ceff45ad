import { messageBatchBody, messageBatchesQuery } from '../../../validation/anthropic-batches.ts'
import { messageBatch, messageBatches, removedMessageBatch } from '../answers/anthropic-format.ts'
import { inPath, json, type Operation } from '../operation.ts'

const TAG = { tag: 'Anthropic format', access: 'caller' } as const
const batchId = inPath('id', 'The batch’s id.', 'msgbatch_0')
const batch = { description: 'The batch.', content: [json('MessageBatch', messageBatch)] }

/** Batches of messages. */
export const anthropicBatchOperations = (mostItems: number): readonly Operation[] => [
  {
    ...TAG,
    method: 'get',
    path: '/v1/messages/batches',
    summary: 'List message batches',
    query: messageBatchesQuery,
    answers: [{ description: 'The caller’s batches.', content: [json('MessageBatches', messageBatches)] }],
    errors: ['INVALID_INPUT'],
  },
  {
    ...TAG,
    method: 'post',
    path: '/v1/messages/batches',
    summary: 'Create a message batch',
    description: 'Each request is validated when it runs, as one that is sent to `/v1/messages`.',
    body: {
      name: 'MessageBatchRequest',
      schema: messageBatchBody(mostItems),
      examples: {
        Batch: {
          requests: [
            {
              custom_id: 'first',
              params: { model: 'mock', max_tokens: 500, messages: [{ role: 'user', content: 'Hello' }] },
            },
          ],
        },
      },
    },
    answers: [batch],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/messages/batches/{id}',
    summary: 'Read a message batch',
    parameters: [batchId],
    answers: [batch],
    errors: ['NOT_FOUND'],
  },
  {
    ...TAG,
    method: 'delete',
    path: '/v1/messages/batches/{id}',
    summary: 'Delete a message batch',
    description: 'One that has ended.',
    parameters: [batchId],
    answers: [{ description: 'It is deleted.', content: [json('RemovedMessageBatch', removedMessageBatch)] }],
    errors: ['NOT_FOUND', 'INVALID_INPUT'],
  },
  {
    ...TAG,
    method: 'post',
    path: '/v1/messages/batches/{id}/cancel',
    summary: 'Cancel a message batch',
    parameters: [batchId],
    answers: [batch],
    errors: ['NOT_FOUND', 'CONFLICT'],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/messages/batches/{id}/results',
    summary: 'Download a message batch’s results',
    parameters: [batchId],
    answers: [
      {
        description: 'One result a line.',
        content: [{ type: 'application/x-jsonl', description: 'JSON lines, in any order.' }],
      },
    ],
    errors: ['NOT_FOUND', 'INVALID_INPUT'],
  },
]
