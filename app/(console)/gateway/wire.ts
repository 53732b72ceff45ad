/** The types of `POST /api/chat`, `GET /api/models` and `GET /api/tools`, as their public contract defines them. */

export type Message = { role: 'user' | 'assistant'; content: string }

export type ChatRequest = {
  messages: Message[]
  /** Left out, the gateway's default model answers. */
  model?: string
  /** Names of the gateway's tools that the model may use. */
  tools?: string[]
  /** `refresh` requests a new answer instead of a stored one. */
  cache?: 'refresh'
}

export type Start = { id: string; requestId: string; model: string; provider: string; cache: CacheState }

/** What an answer used, and what that cost. */
export type Expense = {
  usage?: {
    inputTokens: number
    outputTokens: number
    cachedInputTokens?: number
    reasoningTokens?: number
    /** Set where the gateway counted instead of the provider. */
    estimated?: true
  }
  /** `null` where the price is unknown. */
  costUsd: number | null
}

export type Facts = Start & Expense & { finishReason: string; truncated: boolean; latencyMs: number }

/** Whether a limit cut the answer, the gateway's in bytes or the request's in tokens. */
export const wasCut = ({ truncated, finishReason }: Facts): boolean => truncated || finishReason === 'length'

export type CacheState = 'miss' | 'hit' | 'stale' | 'bypass'

/** Why there is no answer, or only part of one, as a readable message. */
export type Failure = {
  code: string
  message: string
  retryable: boolean
  requestId?: string
  retryAfterSeconds?: number
  /** Each fault in the request with its position: `questions.jsonl:3`. */
  details?: { path: string; message: string }[]
  /** HTTP status, where the failure came as one. */
  status?: number
  /** The expense of the part that had been received; absent where that is unknown. */
  expense?: Expense
  /** How often a provider was called, where the failure came instead of an answer. */
  attempts?: number
}

/** A tool of the gateway's. */
export type Tool = { name: string; description: string; available: boolean }

/** A tool that the gateway ran for the answer. */
export type ToolRun = {
  id: string
  name: string
  state: 'running' | 'done' | 'failed'
  /** The service whose data it is, or how that wants to be named. */
  source?: string
  /** Why it failed. */
  reason?: string
}

export type ChatEvent =
  | { type: 'start'; start: Start }
  | { type: 'tool'; tool: ToolRun }
  | { type: 'delta'; text: string }
  | { type: 'done'; facts: Facts }
  | { type: 'error'; failure: Failure }
  /** Not on the wire: the connection was lost during the answer, and the page is reconnecting. */
  | { type: 'lost' }
  /** Not on the wire: it is restored, and the answer continues. */
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
