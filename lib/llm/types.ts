import type { CacheKind } from '../cache-kinds.ts'
import type { Caller } from '../caller.ts'
import type { GatewayError } from '../errors.ts'
import type { Attempt, AttemptBudget, RequestContext } from '../request-context.ts'
import type { FinishReason, Message, ModelParameters, ReplyHead, Target, Usage } from './message.ts'
import type { Endpoint, PassthroughRequest } from './passthrough.ts'

export type {
  CacheTrace,
  Content,
  ContentPart,
  FinishReason,
  Message,
  ModelParameters,
  ReplyHead,
  Role,
  Target,
  ToolCall,
  Usage,
} from './message.ts'
export { isRepeated } from './message.ts'

/** A wire format that a client and an upstream may share, so that what it says passes between them unchanged. */
export type WireFormat = 'openai-chat' | 'anthropic-messages' | 'openai-responses'

/** The members of a JSON object in order, with their values as they are written. */
export type RawMembers = readonly (readonly [name: string, value: string])[]

/** The body of a client's request as it was sent. */
export type RawRequest = Readonly<{
  format: WireFormat
  json: string
  members: RawMembers
  /** The client's headers that belong to the format: an upstream of the same one gets them too, and no other. */
  headers?: Readonly<Record<string, string>>
  /** Names of its parts that no other format can express: they are left out where it is translated. */
  untranslated?: readonly string[] | undefined
  /** Names of parts of its messages that only its own format has, and that the call's messages are without. */
  leftOut?: readonly string[] | undefined
  /** Whether its input has items that it only refers to. */
  refersToItems?: boolean
  /** Why it cannot be translated at all. */
  untranslatable?: GatewayError | undefined
  /** Its members with the answers that it refers to in place of the references, but for the provider that made these. */
  resolved?: Readonly<{ members: RawMembers; knownTo?: string | undefined }> | undefined
}>

/** `default`: may be answered from the cache; `refresh`: call upstream and store; `no-store`: neither. */
export type CacheMode = 'default' | 'refresh' | 'no-store'

/** A limit of an answer's size: one for all, or one for each kind of caller, who is not known before authentication. */
export type ResponseLimit = number | Readonly<Record<Caller['kind'], number>>

/** Is called at the beginning and the end of the one attempt that a call makes. */
export type AttemptAccount = Readonly<{
  /** Called when it is sent to its provider. */
  begun: (attempt: Attempt) => void
  /** Called once it has ended, and its usage and cost are known, which may be after its client has gone. */
  ended: (attempt: Attempt) => void
}>

/**
 * One request to a model, on its way inwards. Immutable and complete from the start: a policy passes on a changed copy,
 * `next({ ...call, caller })`.
 */
export type Call = RequestContext &
  Readonly<{
    messages: readonly Message[]
    /** The requested name; `plan` holds its targets. */
    model: string
    /** Whether the client wants a stream; the reply's shape is the same. */
    stream: boolean
    /** 0 to 2, or what a body that passes on says; the provider’s own default when absent. */
    temperature?: number | undefined
    /** Absent where the client leaves it to the model. */
    maxOutputTokens?: number | undefined
    parameters?: ModelParameters | undefined
    /** Names of the gateway's own tools that the model may call. */
    gatewayTools?: readonly string[] | undefined
    /** Refuses parameters that the model does not take, in place of leaving them out. */
    strict?: true | undefined
    /** An upstream of the same format gets it unchanged but for the model, and its answer passes back unchanged. */
    raw?: RawRequest | undefined
    /** The headers of a client's format that a call without its body still has. */
    formatHeaders?: Readonly<{ format: WireFormat; headers: Readonly<Record<string, string>> }> | undefined
    /** A request to an endpoint beside chat: then there are no messages, and the reply is a body. */
    passthrough?: PassthroughRequest | undefined
    /**
     * Clock time, milliseconds: until when the first content of a stream, or the whole of any other answer, must have
     * arrived. A policy may shorten it for inner policies.
     */
    deadlineAt: number
    /** Longest answer this surface gives, in UTF-8 bytes; unlimited when absent. */
    maxResponseBytes?: ResponseLimit | undefined
    /** The version of the guardrails' rules for this call; absent where none look at it. */
    rules?: string | undefined
    cache: CacheMode
    /** Tags of the answer, by which it can be invalidated. */
    cacheTags?: readonly string[] | undefined
    /** What the answer is for: for how long it is repeated, and one more of its tags. */
    cacheKind?: CacheKind | undefined
    /** Whether another model than the requested one may answer. */
    fallback: boolean
    /** Background work: it defers to live calls. */
    background?: true
    /** Whether the answer outlives its connection, so that the caller can resume or stop it. */
    resume?: true
    /** The targets, best first. Empty until routed; the first one is called, the others are its fallbacks. */
    plan: readonly Target[]
    /** The call's budget of attempts. The only mutable part of a call, shared by all copies of it. */
    attempts: AttemptBudget
    /** Settles the money that is reserved for the attempt of this call; absent where no budget applies. */
    account?: AttemptAccount
    /** Another target of the plan has failed before. */
    isFallback?: true
  }>

/** The events of a reply, in order: any number of deltas, then exactly one `finish` or `error`. */
export type ReplyEvent =
  | Readonly<{ type: 'text-delta'; text: string }>
  /** The model's reasoning. A signature comes with its end; a redacted block is whole, and has no text. */
  | Readonly<{ type: 'reasoning-delta'; text: string; signature?: string; redacted?: string }>
  /** The model's refusal to answer. */
  | Readonly<{ type: 'refusal-delta'; text: string }>
  /**
   * A fragment of a tool call. The first one of an index, which counts from 0 without gaps, has `id` and `name`, and no
   * other.
   */
  | Readonly<{
      type: 'tool-call-delta'
      index: number
      id?: string
      name?: string
      arguments: string
      isCustom?: true
      /** What the vendor wants to see again, as in a `ToolCall`; in any fragment. */
      extraContent?: unknown
    }>
  /**
   * One message of the upstream as it came: an event of a stream, or a whole answer. It stands before the events that
   * were made of it, and is sent in place of them to a client of the same format.
   */
  | Readonly<{
      type: 'wire'
      format: WireFormat
      json: string
      /** The name of its event, in a stream that names them. */
      event?: string
      /** It holds the usage and nothing else, which the client may not have asked for. */
      isUsage?: true
      /** It begins a part of the answer that no other event describes, such as a block of a type of its own. */
      isContent?: true
    }>
  /** A whole body of an endpoint beside chat, of up to 1 MiB. */
  | Readonly<{ type: 'body-text'; text: string }>
  /** A piece of a longer or streamed one. */
  | Readonly<{ type: 'body-bytes'; bytes: Uint8Array }>
  /** A tool of the gateway's own that the model has called. Its result comes with the end, of whatever kind. */
  | Readonly<{
      type: 'tool'
      id: string
      name: string
      state: 'running' | 'done' | 'failed'
      /** JSON as the model wrote it, while it is running. */
      arguments?: string
      result?: unknown
    }>
  | Readonly<{
      type: 'finish'
      reason: FinishReason
      /** The provider's own value. */
      raw?: string
      truncated?: true
      /** Warnings known only at the answer's end, one sentence each. */
      warnings?: readonly string[]
      /** Clock time, milliseconds, after which it must not be served again: what it is made of is then too old. */
      freshUntil?: number
    }>
  /** `isSent`: the pieces before it have said it already, in the upstream's words. */
  | Readonly<{ type: 'error'; error: GatewayError; isSent?: true }>

/** Events that are read together. */
export type EventGroup = readonly ReplyEvent[]

/** A provider's remaining rate limit: a share from 0 to 1, until the clock time when it resets. */
export type RateHeadroom = Readonly<{ share: number; resetAt: number }>

/**
 * An answer on its way outwards, the same whether or not the client asked for a stream.
 *
 * - `events` come in groups as they came off the socket, can be read once, and never throw: a failure after
 * the first content is an `error` event. Closing early (`return`) stops the upstream.
 * - `usage` settles once the events have ended, however they ended, and never rejects.
 */
export type Reply = Readonly<{
  head: ReplyHead
  usage: Promise<Usage>
  /** The attempt that it came from; absent where no target was called. */
  attempt?: Attempt
  events: AsyncIterable<EventGroup>
}>

/**
 * A provider of answers to calls.
 *
 * `ask` resolves when the first content is available, so that until then a policy may still try another target; it
 * rejects with a GatewayError; what the upstream reports to have used by then is the attempt's `usage`. When
 * `call.signal` aborts, the upstream connection closes at once, and pending reads fail with the signal's reason.
 */
export interface Provider {
  readonly id: string
  /** What it has, for calls of no other kind; when absent chat, and with `pass` every endpoint beside it. */
  readonly endpoints?: ReadonlySet<Endpoint | 'chat'>
  ask(call: Call, target: Target, attempt: Attempt): Promise<Reply>
  /**
   * The vendor's own count of a call's input tokens, as its JSON text; undefined where it has none for calls of that
   * format. Rejects with a GatewayError.
   */
  countTokens?(call: Call, target: Target, attempt: Attempt): Promise<string | undefined>
  /** Answers a call with `passthrough`, as `ask` does a chat; absent where the provider has chat alone. */
  pass?(call: Call, target: Target, attempt: Attempt): Promise<Reply>
}
