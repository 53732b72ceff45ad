import type { Fields } from './lenient.ts'
import type { UpstreamAddress } from './upstream.ts'

/** How vendors of the same protocol differ. */
export type OpenAiDialect = Readonly<{
  provider: string
  /** The path of the vendor's API before `/chat/completions`; `/v1` when absent. */
  vendorPath?: string
  /** Where calls really go, for a vendor with addresses or headers of its own. */
  addressed?: (address: ChatAddress, apiKey: string) => ChatAddress
  /** The highest temperature the vendor takes; 2 when absent. */
  highestTemperature?: number
  /** Tells the usage of a stream unasked, and refuses to be asked. */
  alwaysSendsUsage?: true
  /** What a chunk says in a place of the vendor's own. */
  vendorExtras?: (chunk: Fields) => Readonly<{ usage?: unknown; error?: unknown }>
}>

/** Where chat completions are asked for, before it is one text. */
export type ChatAddress = Readonly<{ url: URL; headers: UpstreamAddress['headers'] }>
