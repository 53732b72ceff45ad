import { z } from 'zod'
import { batchBody, batchesQuery, filesQuery } from '../../../validation/openai-batches.ts'
import { inputItemsQuery, openAiResponsesBody } from '../../../validation/openai-responses.ts'
import * as answers from '../answers/openai-state.ts'
import { eventStream, inPath, json, type Operation } from '../operation.ts'

const TAG = { tag: 'OpenAI format', access: 'caller' } as const
const response = { description: 'The response.', content: [json('Response', answers.response)] }
const responseId = inPath('id', 'The response’s id.', 'resp_0')

const responses: readonly Operation[] = [
  {
    ...TAG,
    method: 'post',
    path: '/v1/responses',
    summary: 'Create a response',
    description:
      'Passed on to OpenAI and Azure; translated for all other providers. Unless `store` is false, the response is stored for `previous_response_id`.',
    generates: true,
    body: {
      name: 'ResponseRequest',
      schema: openAiResponsesBody,
      examples: {
        Text: { model: 'mock', input: 'Why is the sky blue?' },
        Stream: { model: 'mock', input: 'Why is the sky blue?', stream: true },
      },
    },
    answers: [
      {
        description: 'The response.',
        content: [
          json('Response', answers.response),
          eventStream('Events as OpenAI sends them; `sequence_number` rises, and no `[DONE]` follows.'),
        ],
      },
    ],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/responses/{id}',
    summary: 'Read a stored response',
    parameters: [responseId],
    answers: [response],
    errors: ['NOT_FOUND', 'INVALID_INPUT'],
  },
  {
    ...TAG,
    method: 'delete',
    path: '/v1/responses/{id}',
    summary: 'Delete a response',
    description: 'The gateway’s copy of it.',
    parameters: [responseId],
    answers: [{ description: 'It is deleted.', content: [json('RemovedResponse', answers.removedResponse)] }],
    errors: ['NOT_FOUND'],
  },
  {
    ...TAG,
    method: 'post',
    path: '/v1/responses/{id}/cancel',
    summary: 'Cancel a background response',
    description: 'Always refused: responses don’t run in the background here.',
    parameters: [responseId],
    answers: [response],
    errors: ['NOT_FOUND', 'INVALID_INPUT'],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/responses/{id}/input_items',
    summary: 'List a response’s input items',
    parameters: [responseId],
    query: inputItemsQuery,
    answers: [{ description: 'The items.', content: [json('InputItems', answers.inputItems)] }],
    errors: ['NOT_FOUND', 'INVALID_INPUT'],
  },
]

/** The form's fields are checked one by one as they arrive. */
const fileForm = z.looseObject({ file: z.file(), purpose: z.string() })
const fileId = inPath('id', 'The file’s id.', 'file-0')

const files: readonly Operation[] = [
  {
    ...TAG,
    method: 'get',
    path: '/v1/files',
    summary: 'List files',
    query: filesQuery,
    answers: [{ description: 'The caller’s files.', content: [json('Files', answers.files)] }],
    errors: ['INVALID_INPUT'],
  },
  {
    ...TAG,
    method: 'post',
    path: '/v1/files',
    summary: 'Upload a file',
    body: {
      name: 'FileForm',
      schema: fileForm,
      type: 'multipart/form-data',
      examples: { Fields: { purpose: 'batch' } },
    },
    answers: [{ description: 'The file.', content: [json('File', answers.file)] }],
    errors: ['QUOTA_EXCEEDED'],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/files/{id}',
    summary: 'Read a file’s metadata',
    parameters: [fileId],
    answers: [{ description: 'The file.', content: [json('File', answers.file)] }],
    errors: ['NOT_FOUND'],
  },
  {
    ...TAG,
    method: 'delete',
    path: '/v1/files/{id}',
    summary: 'Delete a file',
    parameters: [fileId],
    answers: [{ description: 'It is deleted.', content: [json('RemovedFile', answers.removedFile)] }],
    errors: ['NOT_FOUND'],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/files/{id}/content',
    summary: 'Download a file',
    parameters: [fileId],
    answers: [
      {
        description: 'Its bytes.',
        content: [{ type: 'application/octet-stream', description: 'As it was uploaded, or JSON lines.' }],
      },
    ],
    errors: ['NOT_FOUND', 'STORE_UNAVAILABLE'],
  },
]

const batchId = inPath('id', 'The batch’s id.', 'batch_0')
const batch = { description: 'The batch.', content: [json('OpenAiBatch', answers.batch)] }

const batches: readonly Operation[] = [
  {
    ...TAG,
    method: 'get',
    path: '/v1/batches',
    summary: 'List batches',
    query: batchesQuery,
    answers: [{ description: 'The caller’s batches.', content: [json('OpenAiBatches', answers.batches)] }],
    errors: ['INVALID_INPUT'],
  },
  {
    ...TAG,
    method: 'post',
    path: '/v1/batches',
    summary: 'Create a batch',
    description: 'Its requests are the lines of an uploaded file. They are answered in the background.',
    body: {
      name: 'BatchRequest',
      schema: batchBody,
      examples: {
        Batch: { input_file_id: 'file-0', endpoint: '/v1/chat/completions', completion_window: '24h' },
      },
    },
    answers: [batch],
  },
  {
    ...TAG,
    method: 'get',
    path: '/v1/batches/{id}',
    summary: 'Read a batch',
    parameters: [batchId],
    answers: [batch],
    errors: ['NOT_FOUND'],
  },
  {
    ...TAG,
    method: 'post',
    path: '/v1/batches/{id}/cancel',
    summary: 'Cancel a batch',
    parameters: [batchId],
    answers: [batch],
    errors: ['NOT_FOUND', 'CONFLICT'],
  },
]

/** What OpenAI's clients keep at the gateway: responses, files and batches. */
export const openAiStateOperations: readonly Operation[] = [...responses, ...files, ...batches]
