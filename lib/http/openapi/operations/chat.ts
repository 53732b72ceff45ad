import { CACHE_KINDS } from '../../../cache-kinds.ts'
import { chatBody, uiChatBody } from '../../../validation/chat.ts'
import { chatAnswer, models, stoppedAnswer } from '../answers/chat.ts'
import { eventStream, inHeader, inPath, json, type Operation, type OperationLimits } from '../operation.ts'

const FRAMES = `event: start
data: {"id":"chat_…","requestId":"…","model":"mock","provider":"mock","cache":"miss"}

event: delta
data: {"text":"Hello"}

event: done
data: {"id":"chat_…","finishReason":"stop","truncated":false,"costUsd":0,"latencyMs":120}

`
const EVENTS =
  '`start`, then `delta` with `text`, and `tool` with `id`, `name`, `state` (running, done, failed) and `result` where the gateway ran a tool, then `done` with every field of the JSON answer except `content`; a stream that fails ends with `error` instead, which also has `usage` and `costUsd`. `: ping` after 15 s of silence.'
const streamId = inPath(
  'id',
  'The stream’s id: `x-gateway-stream-id` of the answer.',
  `chat_${'0'.repeat(32)}`,
)

const resume = inHeader('x-gateway-resume', '`true`: the stream can be resumed after a lost connection.', {
  type: 'string',
  enum: ['true'],
})
const cacheTags = inHeader('x-gateway-cache-tags', 'Up to 10 tags for invalidation, separated by commas.', {
  type: 'string',
})
const cacheKind = inHeader('x-gateway-cache-kind', 'As `cacheKind` of the body.', {
  type: 'string',
  enum: [...CACHE_KINDS],
})
const lastEventId = inHeader(
  'Last-Event-ID',
  'The id of the last event received. Without it, all events are sent.',
  {
    type: 'string',
  },
)

export const chatOperations = ({ chat }: OperationLimits): readonly Operation[] => [
  {
    method: 'post',
    path: '/api/chat',
    tag: 'Chat',
    summary: 'Ask a model',
    description:
      'One answer of a model, whole or, with `stream`, as server-sent events. Messages with `parts`, as `useChat` of the AI SDK sends them, are answered by its UI message stream, with the header `x-vercel-ai-ui-message-stream: v1`.',
    access: 'caller',
    generates: true,
    parameters: [resume, cacheTags, cacheKind],
    body: {
      name: 'ChatRequest',
      schema: chatBody(chat),
      other: { name: 'UiChatRequest', schema: uiChatBody(chat) },
      examples: {
        Prompt: { prompt: 'Why is the sky blue?' },
        Stream: { prompt: 'Why is the sky blue?', stream: true },
        Messages: {
          messages: [
            { role: 'system', content: 'Answer in one sentence.' },
            { role: 'user', content: 'Why is the sky blue?' },
          ],
          temperature: 0.2,
          maxTokens: 200,
        },
        'AI SDK': {
          messages: [{ role: 'user', parts: [{ type: 'text', text: 'Why is the sky blue?' }] }],
        },
      },
    },
    answers: [
      { description: 'The answer.', content: [json('ChatAnswer', chatAnswer), eventStream(EVENTS, FRAMES)] },
    ],
  },
  {
    method: 'get',
    path: '/api/chat/{id}/stream',
    tag: 'Chat',
    summary: 'Resume a stream',
    description: 'Continues a resumable stream after a lost connection. Only its owner can read it.',
    access: 'caller',
    parameters: [streamId, lastEventId],
    answers: [
      { description: 'All events after `Last-Event-ID`, then live.', content: [eventStream(EVENTS, FRAMES)] },
      { status: 204, description: 'The last event was already received.' },
    ],
    errors: ['INVALID_INPUT', 'NOT_FOUND'],
  },
  {
    method: 'post',
    path: '/api/chat/{id}/stop',
    tag: 'Chat',
    summary: 'Stop a stream',
    description: 'Stops a resumable stream, and returns its text.',
    access: 'caller',
    parameters: [streamId],
    answers: [{ description: 'Its text so far.', content: [json('StoppedAnswer', stoppedAnswer)] }],
    errors: ['NOT_FOUND'],
  },
  {
    method: 'get',
    path: '/api/models',
    tag: 'Chat',
    summary: 'List the models',
    description: 'Aliases first, then all models with their prices and whether they are available.',
    access: 'caller',
    answers: [{ description: 'The models.', content: [json('Models', models)] }],
  },
  {
    method: 'post',
    path: '/api/session',
    tag: 'Chat',
    summary: 'Start a guest session',
    description: 'Sets the session cookie that the web pages use. For requests from the same site only.',
    access: 'caller',
    answers: [{ status: 204, description: 'The cookie is set, or was already set.' }],
  },
]
