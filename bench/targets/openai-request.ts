import { lastPiece, messages } from '../conversation.ts'
import type { Workload } from '../workloads.ts'
import type { ChatRequest } from './target.ts'

/** A chat completion request as an OpenAI client sends it. */
export function openaiRequest(workload: Workload, headers: Record<string, string> = {}): ChatRequest {
  const streaming = { stream: true, stream_options: { include_usage: true } }
  return {
    path: '/v1/chat/completions',
    headers: { authorization: 'Bearer bench', ...headers },
    body: { model: 'gpt-4o-mini', messages, max_tokens: 1000, ...(workload.stream ? streaming : {}) },
    expected: workload.stream ? [lastPiece, '[DONE]'] : [lastPiece],
  }
}
