import { z } from 'zod'
import { jobChange, jobQuery, jobsQuery, resultsQuery, uploadFields } from '../../../validation/batch.ts'
import { wholeJobBody } from '../../../validation/job.ts'
import { deletedJob, item, itemDetail, job, jobList, jobWithItems } from '../answers/batch.ts'
import { eventStream, inPath, json, type Operation, type OperationLimits } from '../operation.ts'

const jobId = inPath('id', 'The job’s id.', `batch_${'0'.repeat(32)}`)
const itemIndex = inPath('index', 'The item’s index, from 0.', 0)
const progress = eventStream('`event: job` with the job after each change.')
/** When a job may begin depends on the time; its schema does not. */
const now = 0

const submitting = (limits: OperationLimits): readonly Operation[] => [
  {
    method: 'post',
    path: '/api/batch/jobs',
    tag: 'Batches',
    summary: 'Submit a batch as JSON',
    access: 'caller',
    body: {
      name: 'JobRequest',
      schema: wholeJobBody({ item: limits.item, mostItems: limits.mostItems, now }),
      examples: {
        'Two items': {
          name: 'Two',
          priority: 'low',
          items: [{ prompt: 'One?' }, { id: 'b', prompt: 'Two?', model: 'mock/echo' }],
        },
      },
    },
    answers: [{ status: 202, description: 'It is queued.', content: [json('Job', job)] }],
    errors: ['NOT_FOUND', 'CONFLICT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'post',
    path: '/api/batch/upload',
    tag: 'Batches',
    summary: 'Submit a batch as files',
    description: 'Up to 50 files of `.txt`, `.md`, `.csv`, `.json` or `.jsonl`, 50 MB each, 100 MB together.',
    access: 'caller',
    body: {
      name: 'BatchUpload',
      type: 'multipart/form-data',
      schema: uploadFields(limits.item, now).extend({ file: z.array(z.file()).min(1) }),
      examples: { Fields: { name: 'Questions', instruction: 'Translate into German.' } },
    },
    answers: [{ status: 202, description: 'It is queued.', content: [json('Job', job)] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
]

const reading: readonly Operation[] = [
  {
    method: 'get',
    path: '/api/batch/jobs',
    tag: 'Batches',
    summary: 'List your batches',
    description: 'Newest first.',
    access: 'caller',
    query: jobsQuery,
    answers: [{ description: 'One page.', content: [json('JobList', jobList)] }],
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/batch/jobs/{id}',
    tag: 'Batches',
    summary: 'Read a batch',
    description: 'With one page of its items.',
    access: 'caller',
    parameters: [jobId],
    query: jobQuery,
    answers: [{ description: 'The job.', content: [json('JobWithItems', jobWithItems)] }],
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/batch/jobs/{id}/items/{index}',
    tag: 'Batches',
    summary: 'Read one item',
    description: 'With the messages that are sent to the model.',
    access: 'caller',
    parameters: [jobId, itemIndex],
    answers: [{ description: 'The item.', content: [json('ItemDetail', itemDetail)] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/batch/jobs/{id}/results',
    tag: 'Batches',
    summary: 'Download the results',
    description: 'Every item, one a line. CSV cells are escaped against formula injection.',
    access: 'caller',
    parameters: [jobId],
    query: resultsQuery,
    answers: [
      {
        description: 'The items.',
        content: [
          {
            type: 'application/jsonl',
            description: 'One item a line.',
            body: { name: 'Item', schema: item },
          },
          { type: 'text/csv', description: 'One item a row, under a header.' },
        ],
      },
    ],
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/batch/jobs/{id}/events',
    tag: 'Batches',
    summary: 'Follow a batch',
    access: 'caller',
    parameters: [jobId],
    answers: [{ description: 'Its progress, until it ends.', content: [progress] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'get',
    path: '/api/batch/events',
    tag: 'Batches',
    summary: 'Follow all your batches',
    access: 'caller',
    answers: [{ description: 'Their progress.', content: [progress] }],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
]

const changing: readonly Operation[] = [
  {
    method: 'patch',
    path: '/api/batch/jobs/{id}',
    tag: 'Batches',
    summary: 'Change a batch’s priority',
    access: 'caller',
    parameters: [jobId],
    body: { name: 'JobChange', schema: jobChange, examples: { High: { priority: 'high' } } },
    answers: [{ description: 'The job.', content: [json('Job', job)] }],
    errors: ['NOT_FOUND', 'CONFLICT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'delete',
    path: '/api/batch/jobs/{id}',
    tag: 'Batches',
    summary: 'Delete a batch that has ended',
    access: 'caller',
    parameters: [jobId],
    answers: [{ description: 'The batch is deleted.', content: [json('DeletedJob', deletedJob)] }],
    errors: ['NOT_FOUND', 'CONFLICT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'post',
    path: '/api/batch/jobs/{id}/cancel',
    tag: 'Batches',
    summary: 'Cancel a batch',
    access: 'caller',
    parameters: [jobId],
    answers: [{ description: 'The job.', content: [json('Job', job)] }],
    errors: ['NOT_FOUND', 'CONFLICT', 'STORE_UNAVAILABLE'],
  },
  {
    method: 'post',
    path: '/api/batch/jobs/{id}/retry',
    tag: 'Batches',
    summary: 'Retry failed items',
    access: 'caller',
    parameters: [jobId],
    answers: [{ description: 'The job.', content: [json('Job', job)] }],
    errors: ['NOT_FOUND', 'CONFLICT', 'STORE_UNAVAILABLE'],
  },
]

export const batchOperations = (limits: OperationLimits): readonly Operation[] => [
  ...submitting(limits),
  ...reading,
  ...changing,
]
