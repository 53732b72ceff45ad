import type { ImageOptions } from '../definition.ts'
import type { Fields } from './lenient.ts'
import type { ExtraContentOf, MessageForm } from './openai-messages.ts'
import type { UpstreamAddress } from './upstream.ts'

/** One vendor's variant of OpenAI's chat completions. */
export type OpenAiVariant = Readonly<{
  provider: string
  /** The path of the vendor's API before `/chat/completions`; `/v1` when absent. */
  vendorPath?: string
  /** The actual endpoint, for a vendor with URLs or headers of its own. */
  addressed?: (address: ChatAddress, apiKey: string) => ChatAddress
  /** The highest temperature that the vendor accepts; 2 when absent. */
  highestTemperature?: number
  /** It knows messages of the role `developer`; elsewhere they are sent as `system`. */
  knowsDeveloper?: true
  /** The only name that it has for the limit of output tokens; absent where the model decides. */
  limitField?: 'max_tokens'
  /** It has `POST /responses` too. */
  hasResponses?: true
  /** Always reports a stream's usage, and rejects `stream_options`. */
  alwaysSendsUsage?: true
  /** What a model of it takes in a request for images that was made for another model. */
  imageOptions?: (model: string) => ImageOptions | undefined
  /** What a model of it wants to see of tool calls that come back. */
  extraContentOf?: (model: string) => ExtraContentOf
  /** Differences in how it writes messages. */
  messageForm?: Omit<MessageForm, 'role' | 'extraContentOf'>
  /** The cost in US dollars that a usage reports. */
  reportedCostUsd?: (usage: Fields) => unknown
  /** Reads a chunk's vendor-specific fields. */
  vendorExtras?: (chunk: Fields) => Readonly<{ usage?: unknown; error?: unknown }>
}>

/** An endpoint in parts. */
export type ChatAddress = Readonly<{ url: URL; headers: UpstreamAddress['headers'] }>
