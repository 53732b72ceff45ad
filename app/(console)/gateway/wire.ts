/** What the gateway says on the wire; the law is the public contract of `POST /api/chat` and `GET /api/models`. */

export type Message = { role: 'user' | 'assistant'; content: string }

export type ChatRequest = {
  messages: Message[]
  /** Left out, the gateway's default model answers. */
  model?: string
  /** `refresh` asks anew where the gateway would repeat a stored answer. */
  cache?: 'refresh'
}

export type Start = { id: string; requestId: string; model: string; provider: string; cache: CacheState }

export type Facts = Start & {
  finishReason: string
  truncated: boolean
  usage?: { inputTokens: number; outputTokens: number; cachedInputTokens?: number; reasoningTokens?: number }
  /** `null` where the price is unknown. */
  costUsd: number | null
  latencyMs: number
}

/** Whether there was more to say than a limit let through, the gateway's in bytes or the request's in tokens. */
export const wasCut = ({ truncated, finishReason }: Facts): boolean => truncated || finishReason === 'length'

export type CacheState = 'miss' | 'hit' | 'stale' | 'bypass'

/** Why there is no answer, or only part of one, in words for the reader. */
export type Failure = {
  code: string
  message: string
  retryable: boolean
  requestId?: string
  retryAfterSeconds?: number
  /** What is wrong where, for each fault in what was sent: `questions.jsonl:3`. */
  details?: { path: string; message: string }[]
  /** HTTP status, where the failure came as one. */
  status?: number
}

export type ChatEvent =
  | { type: 'start'; start: Start }
  | { type: 'delta'; text: string }
  | { type: 'done'; facts: Facts }
  | { type: 'error'; failure: Failure }
  /** Not of the wire: the connection was lost in the middle of the answer, and is being sought again. */
  | { type: 'lost' }
  /** Not of the wire: it is there again, and the answer goes on. */
  | { type: 'back' }

export type Model = {
  id: string
  provider: string
  contextTokens: number | null
  inputUsdPerMillion: number | null
  outputUsdPerMillion: number | null
  available: boolean
  default?: boolean
}
