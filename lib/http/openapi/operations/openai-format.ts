import { z } from 'zod'
import { openAiChatBody } from '../../../validation/openai-chat.ts'
import { endpointBody, type JsonEndpoint } from '../../../validation/openai-endpoints.ts'
import * as answers from '../answers/openai-format.ts'
import {
  eventStream,
  inHeader,
  inPath,
  json,
  type Operation,
  type OperationResponse,
  type RequestBody,
} from '../operation.ts'

const strict = inHeader(
  'x-gateway-strict',
  '`true`: refuse parameters that the model doesn’t support, instead of leaving them out.',
  { type: 'string', enum: ['true'] },
)
const chunks = eventStream(
  'Chunks as OpenAI sends them, then `data: [DONE]`.',
  'data: {"id":"chatcmpl-…","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\ndata: [DONE]\n\n',
)
const question = [{ role: 'user', content: 'Why is the sky blue?' }]

const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}

const chat: Operation = {
  method: 'post',
  path: '/v1/chat/completions',
  tag: 'OpenAI format',
  summary: 'Create a chat completion',
  description:
    'Fields that are not listed are passed on to an upstream of the same format. Tools, images, files, audio, JSON schemas and reasoning are translated where the vendor’s format differs.',
  access: 'caller',
  generates: true,
  parameters: [strict],
  body: {
    name: 'ChatCompletionRequest',
    schema: openAiChatBody,
    examples: {
      Message: { model: 'mock', messages: question },
      Stream: { model: 'mock', messages: question, stream: true, stream_options: { include_usage: true } },
      Tools: { model: 'mock', messages: question, tools: [weather], tool_choice: 'auto' },
      'JSON schema': {
        model: 'mock',
        messages: question,
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', schema: { type: 'object' }, strict: false },
        },
      },
    },
  },
  answers: [
    { description: 'The completion.', content: [json('ChatCompletion', answers.chatCompletion), chunks] },
  ],
}

type JsonEndpointEntry = Pick<Operation, 'summary' | 'description'> &
  Readonly<{ name: string; examples: RequestBody['examples']; answer: OperationResponse }>

const jsonEndpoints: Readonly<Record<JsonEndpoint, JsonEndpointEntry>> = {
  embeddings: {
    name: 'EmbeddingRequest',
    summary: 'Embed texts',
    examples: { Texts: { model: 'mock', input: ['cat', 'dog'], dimensions: 8, encoding_format: 'float' } },
    answer: { description: 'The vectors.', content: [json('Embeddings', answers.embeddings)] },
  },
  completions: {
    name: 'CompletionRequest',
    summary: 'Create a completion',
    description: 'The older format of one prompt.',
    examples: { Prompt: { model: 'mock', prompt: 'Once upon a time' } },
    answer: { description: 'The completion.', content: [json('Completion', answers.completion), chunks] },
  },
  moderations: {
    name: 'ModerationRequest',
    summary: 'Moderate texts',
    examples: { Text: { model: 'mock', input: 'Hello' } },
    answer: { description: 'Whether each is flagged.', content: [json('Moderation', answers.moderation)] },
  },
  'images/generations': {
    name: 'ImageRequest',
    summary: 'Generate images',
    description: 'A failure falls back along a chain of image models.',
    examples: { Image: { model: 'mock', prompt: 'A lighthouse at dusk' } },
    answer: { description: 'URLs or base64.', content: [json('Images', answers.images)] },
  },
  'audio/speech': {
    name: 'SpeechRequest',
    summary: 'Read a text aloud',
    examples: { Text: { model: 'mock', input: 'Hello', voice: 'alloy' } },
    answer: {
      description: 'Audio, as it is made.',
      content: [{ type: 'audio/*', description: 'The format asked for.' }],
    },
  },
  rerank: {
    name: 'RerankRequest',
    summary: 'Rank documents by a query',
    examples: { Documents: { model: 'mock', query: 'red cat', documents: ['a dog', 'a red cat'] } },
    answer: { description: 'The documents’ relevance.', content: [json('Reranking', answers.reranking)] },
  },
}

const jsonOperations = (Object.keys(jsonEndpoints) as JsonEndpoint[]).map((endpoint): Operation => {
  const { name, examples, answer, ...words } = jsonEndpoints[endpoint]
  return {
    method: 'post',
    path: `/v1/${endpoint}`,
    tag: 'OpenAI format',
    ...words,
    access: 'caller',
    generates: true,
    body: { name, schema: endpointBody[endpoint], examples },
    answers: [answer],
  }
})

/** Forms have no schema of their own: the gateway checks for a file and reads the model; the rest passes on. */
const audioForm = z.looseObject({ file: z.file(), model: z.string(), stream: z.boolean().optional() })
const imageForm = z.looseObject({ image: z.file(), prompt: z.string(), model: z.string().optional() })

const form = (
  path: string,
  summary: string,
  body: Pick<RequestBody, 'name' | 'schema' | 'examples'>,
  answer: OperationResponse,
): Operation => ({
  method: 'post',
  path,
  tag: 'OpenAI format',
  summary,
  access: 'caller',
  generates: true,
  body: { ...body, type: 'multipart/form-data' },
  answers: [answer],
})

const audio = { name: 'AudioForm', schema: audioForm, examples: { Fields: { model: 'mock' } } }
const text: OperationResponse = {
  description: 'The text.',
  content: [json('Transcription', answers.transcription), eventStream('Events as OpenAI sends them.')],
}

const formOperations = [
  form(
    '/v1/images/edits',
    'Edit an image',
    { name: 'ImageForm', schema: imageForm, examples: { Fields: { model: 'mock', prompt: 'Add a hat' } } },
    { description: 'URLs or base64.', content: [json('Images', answers.images)] },
  ),
  form('/v1/audio/transcriptions', 'Transcribe audio', audio, text),
  form('/v1/audio/translations', 'Translate audio into English', audio, text),
]

const modelOperations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/models',
    tag: 'OpenAI format',
    summary: 'List the models that can be called',
    description: 'In OpenAI’s form and in Anthropic’s, with Anthropic’s paging.',
    access: 'caller',
    parameters: [
      {
        name: 'limit',
        in: 'query',
        description: 'Entries per page.',
        schema: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 },
      },
      { name: 'after_id', in: 'query', description: 'Those after this one.', schema: { type: 'string' } },
      { name: 'before_id', in: 'query', description: 'Those before this one.', schema: { type: 'string' } },
    ],
    answers: [{ description: 'The models.', content: [json('ModelList', answers.modelList)] }],
    errors: ['INVALID_INPUT'],
  },
  {
    method: 'get',
    path: '/v1/models/{id}',
    tag: 'OpenAI format',
    summary: 'Read one model',
    description: 'Its name may hold slashes.',
    access: 'caller',
    parameters: [inPath('id', 'The model’s name.', 'mock')],
    answers: [{ description: 'The model.', content: [json('Model', answers.model)] }],
    errors: ['NOT_FOUND'],
  },
]

export const openAiOperations: readonly Operation[] = [
  chat,
  ...jsonOperations,
  ...formOperations,
  ...modelOperations,
]
