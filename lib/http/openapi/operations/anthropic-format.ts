import { anthropicCountBody, anthropicMessagesBody } from '../../../validation/anthropic-messages.ts'
import { message, tokenCount } from '../answers/anthropic-format.ts'
import { eventStream, inHeader, json, type Operation } from '../operation.ts'

const versions = [
  inHeader('anthropic-version', 'Passed on to Anthropic unchanged.', { type: 'string' }),
  inHeader('anthropic-beta', 'Passed on to Anthropic unchanged.', { type: 'string' }),
]
const question = [{ role: 'user', content: 'Why is the sky blue?' }]

export const anthropicOperations: readonly Operation[] = [
  {
    method: 'post',
    path: '/v1/messages',
    tag: 'Anthropic format',
    summary: 'Create a message',
    description:
      'Works with any model of this gateway. Fields that are not listed are passed on to Anthropic.',
    access: 'caller',
    generates: true,
    parameters: versions,
    body: {
      name: 'MessagesRequest',
      schema: anthropicMessagesBody,
      examples: {
        Message: { model: 'mock', max_tokens: 500, messages: question },
        Stream: { model: 'mock', max_tokens: 500, messages: question, stream: true },
      },
    },
    answers: [
      {
        description: 'The message.',
        content: [
          json('Message', message),
          eventStream(
            'Anthropic’s events in their order: `message_start`, `content_block_start`, `content_block_delta`, `content_block_stop`, `message_delta`, `message_stop`; `error` ends it early.',
          ),
        ],
      },
    ],
  },
  {
    method: 'post',
    path: '/v1/messages/count_tokens',
    tag: 'Anthropic format',
    summary: 'Count the input’s tokens',
    description:
      'Anthropic’s own count; for other vendors an estimate, with `x-gateway-estimated: true`. Calls no model.',
    access: 'caller',
    generates: true,
    parameters: versions,
    body: {
      name: 'CountTokensRequest',
      schema: anthropicCountBody,
      examples: { Message: { model: 'mock', messages: question } },
    },
    answers: [{ description: 'The count.', content: [json('TokenCount', tokenCount)] }],
  },
]
