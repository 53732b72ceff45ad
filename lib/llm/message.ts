/** A part of a message's content. Media are addressed by an `http(s):` or a `data:` URL. */
export type ContentPart =
  | Readonly<{ type: 'text'; text: string }>
  | Readonly<{ type: 'image'; url: string; detail?: string }>
  | Readonly<{ type: 'audio'; base64: string; format: string }>
  | Readonly<{ type: 'file'; name?: string; url?: string; id?: string }>
  /** Of a type that only its own format knows; `name` is that type. */
  | Readonly<{ type: 'other'; name: string }>

/** Plain text, or parts in order. */
export type Content = string | readonly ContentPart[]

/** A model's call of a tool. */
export type ToolCall = Readonly<{
  id: string
  name: string
  /** The JSON text as the model wrote it; of a custom tool, its input text. */
  arguments: string
  /** A custom tool, whose input is free text. */
  isCustom?: true
  /** What its vendor wants to see again when the call comes back: Gemini's signature. Source: its `extra_content`. */
  extraContent?: unknown
}>

/** A model's reasoning. Its provider checks the signature when it comes back in a later call. */
export type Reasoning = Readonly<{ text: string; signature?: string }>

/** One message of a conversation. */
export type Message =
  | Readonly<{ role: 'system' | 'developer' | 'user'; content: Content }>
  | Readonly<{
      role: 'assistant'
      content: Content
      toolCalls?: readonly ToolCall[]
      reasoning?: readonly Reasoning[]
      refusal?: string
    }>
  | Readonly<{ role: 'tool'; toolCallId: string; content: Content }>

export type Role = Message['role']

/** The text of a content: its text parts together. */
export const textOf = (content: Content): string =>
  typeof content === 'string'
    ? content
    : content.reduce((text, part) => (part.type === 'text' ? text + part.text : text), '')

/** A tool that the model may call. */
export type Tool = Readonly<{
  name: string
  description?: string
  /** JSON Schema of its arguments; absent for a tool without any, and for a custom one. */
  parameters?: unknown
  strict?: boolean
  /** Its input is free text, in that format where one is given. */
  custom?: Readonly<{ format?: unknown }>
  /** The client's format alone defines it, by this type: models of other formats do not know it. */
  definedBy?: string
}>

/** Which tools the model may or must call. */
export type ToolChoice =
  | Readonly<{ type: 'auto' | 'none' | 'required' }>
  | Readonly<{ type: 'tool'; name: string }>
  /** Only these tools; `mode` says whether it must call one. */
  | Readonly<{ type: 'allowed'; mode: 'auto' | 'required'; names: readonly string[] }>

export type ResponseFormat =
  | Readonly<{ type: 'text' | 'json-object' }>
  | Readonly<{ type: 'json-schema'; name: string; schema?: unknown; strict?: boolean; description?: string }>

/** What a client may ask of a model besides its messages. An absent one leaves the model its default. */
export type ModelParameters = Readonly<{
  topP?: number
  topK?: number
  /** How many answers are wanted; 1 when absent. */
  choices?: number
  stop?: readonly string[]
  seed?: number
  frequencyPenalty?: number
  presencePenalty?: number
  tools?: readonly Tool[]
  toolChoice?: ToolChoice
  /** Whether it may call several tools at once. */
  parallelToolCalls?: boolean
  responseFormat?: ResponseFormat
  /** From `none` to `max`. */
  reasoningEffort?: string
  /** The most tokens of reasoning. */
  reasoningTokens?: number
  serviceTier?: string
  /** The end user, as the client names it. */
  user?: string
}>
