import type { z } from 'zod'

/** JSON Schema of a tool's arguments: an object's. */
export type ArgumentsSchema = Readonly<Record<string, unknown>>

/** Why a service, or a tool as a whole, gave no result. */
export type FailureReason =
  /** The arguments cannot be answered: a place that does not exist. */
  | 'arguments'
  /** No service is set up, or all of them have been failing. */
  | 'unavailable'
  /** Its rate limit leaves no room in time. */
  | 'busy'
  | 'timeout'
  | 'unreachable'
  /** It did not accept the gateway's key. */
  | 'refused'
  | 'rate-limited'
  /** It found a fault in what it was asked. */
  | 'rejected'
  | 'error'
  | 'malformed'
  | 'too-large'
  /** It redirected to an address that is not allowed. */
  | 'redirect'
  /** A guardrail found in it what neither models nor callers may read. */
  | 'withheld'

/** A tool without a result. Its message is written for callers and models, and has no word of the service. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
  readonly reason: FailureReason
  /** The cooldown that the service asks for. */
  readonly retryAfterMs: number | undefined

  constructor(reason: FailureReason, message: string, retryAfterMs?: number) {
    super(message)
    this.reason = reason
    this.retryAfterMs = retryAfterMs
  }
}

export type ServiceRequest = Readonly<{
  /** GET when absent. */
  method?: string
  url: URL
  headers?: Readonly<Record<string, string>>
  body?: string
}>

/** A service's answer, of at most so many bytes. */
export type ServiceAnswer = Readonly<{
  status: number
  mediaType: string
  text: string
  /** It was longer, and is cut. */
  isCut: boolean
  retryAfterMs: number | undefined
}>

/** Sends a request to a service. Rejects with a ToolFailure. */
export type ServiceFetch = (request: ServiceRequest) => Promise<ServiceAnswer>

/** At most `limit` requests in any window of that length, of all gateways together. */
export type ServiceRate = Readonly<{ limit: number; windowMs: number }>

/** A service that answers for a tool. */
export type ToolService<Arguments> = Readonly<{
  /** Its public name: `open-meteo`. */
  name: string
  /** The variable without which it cannot be used, where that is not set. */
  missing?: string | undefined
  /** What its terms want to be shown with its data. */
  attribution?: string | undefined
  rate: ServiceRate
  /** Whether another service may know what this one does not. */
  isPartial?: true
  /** Rejects with a ToolFailure. */
  ask: (input: Arguments, fetch: ServiceFetch) => Promise<unknown>
}>

/** A tool that the gateway runs for a model or a caller. */
export type Tool = Readonly<{
  name: string
  description: string
  /** Validates the arguments. */
  schema: z.ZodType
  /** JSON Schema of the arguments, for models. */
  parameters: ArgumentsSchema
  /** How long a result is served again; 0: each run asks the service, also two at the same time. */
  lifeMs: number
  /** For how long after that it is served in place of a failure. */
  staleMs: number
  /** The services in the order in which they are tried. */
  services: readonly ToolService<unknown>[]
  /** Changes with everything that shapes its results besides the arguments. */
  version: string
  timeoutMs?: number | undefined
  /** The longest answer of its service. */
  mostBytes?: number | undefined
}>

/** A tool's result, as callers and models get it. What is in `data` comes from others, and is not to be trusted. */
export type ToolResult = Readonly<{
  tool: string
  service: string
  attribution?: string | undefined
  /** ISO 8601. */
  retrievedAt: string
  untrusted: true
  data: unknown
}>

/** One run of a tool. `freshUntil`: clock time, milliseconds. */
export type ToolRun =
  | Readonly<{ ok: true; cache: 'hit' | 'miss' | 'stale'; freshUntil: number; result: ToolResult }>
  | Readonly<{
      ok: false
      reason: FailureReason
      message: string
      details?: readonly ToolIssue[] | undefined
    }>

export type ToolIssue = Readonly<{ path: string; message: string }>

/** Where a service is, and its key where it needs one. */
export type ServiceSettings = Readonly<{ baseUrl: string; key?: string | undefined }>
