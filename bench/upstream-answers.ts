import { longAnswer, pieces } from './conversation.ts'

const usage = {
  prompt_tokens: 96,
  completion_tokens: 50,
  total_tokens: 146,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
}

const common = {
  id: 'chatcmpl-BenchBenchBenchBenchBenchBenc',
  created: 1767225600,
  model: 'gpt-4o-mini-2024-07-18',
  service_tier: 'default',
  system_fingerprint: 'fp_50cad350e4',
}

const chunk = (delta: object, finishReason: string | null = null) => ({
  ...common,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
  usage: null,
})

const event = (data: object) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)

export const jsonAnswer = Buffer.from(
  JSON.stringify({
    ...common,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: longAnswer, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage,
  }),
)

/** Fifty deltas between the opening and closing events OpenAI sends; one element is one event on the wire. */
export const streamAnswer: readonly Buffer[] = [
  event(chunk({ role: 'assistant', content: '', refusal: null })),
  ...pieces.map(content => event(chunk({ content }))),
  event(chunk({}, 'stop')),
  event({ ...common, object: 'chat.completion.chunk', choices: [], usage }),
  Buffer.from('data: [DONE]\n\n'),
]

/** The headers a client of OpenAI has to parse, whether it reads them or not. */
export const answerHeaders = {
  'openai-organization': 'bench',
  'openai-processing-ms': '412',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '10000',
  'x-ratelimit-limit-tokens': '200000',
  'x-ratelimit-remaining-requests': '9999',
  'x-ratelimit-remaining-tokens': '199900',
  'x-request-id': 'req_0123456789abcdef0123456789abcdef',
}
