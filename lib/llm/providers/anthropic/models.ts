/** What a Claude model takes, where the models differ. */
export type ClaudeModel = Readonly<{
  /** The most output tokens of one request, thinking included; absent where unknown. */
  mostOutputTokens?: number
  /** Output tokens of the answer to a call without a limit; 16,384 when absent. */
  usualOutputTokens?: number
  /** Answers by a JSON schema (`output_config.format`). */
  hasSchemas: boolean
  /** Thinks by an effort (`adaptive`), by a number of tokens (`budget`), or not at all. */
  thinking: 'adaptive' | 'budget' | 'none'
  /** Thinks where a request does not say. */
  thinksByDefault: boolean
  /** Takes `thinking: { type: 'disabled' }`. */
  canStopThinking: boolean
  /** Takes the effort `xhigh`. */
  takesXhigh: boolean
  /** Takes a choice that forces a tool: `any`, or one tool. */
  takesForcedChoice: boolean
  /** Takes `temperature`, `top_p` and `top_k`. */
  takesSampling: boolean
  /** Takes `top_p` beside `temperature`. */
  takesTopPWithTemperature: boolean
}>

/** Claude 3, but for 3.7, and earlier. */
const WITHOUT_THINKING: ClaudeModel = {
  hasSchemas: false,
  thinking: 'none',
  thinksByDefault: false,
  canStopThinking: true,
  takesXhigh: false,
  takesForcedChoice: true,
  takesSampling: true,
  takesTopPWithTemperature: true,
}

/** The first models that think. */
const BUDGET: ClaudeModel = { ...WITHOUT_THINKING, thinking: 'budget' }

const SCHEMAS: ClaudeModel = { ...BUDGET, hasSchemas: true, takesTopPWithTemperature: false }

const ADAPTIVE: ClaudeModel = { ...SCHEMAS, mostOutputTokens: 128_000, thinking: 'adaptive' }

const WITHOUT_SAMPLING: ClaudeModel = { ...ADAPTIVE, takesXhigh: true, takesSampling: false }

const THINKING: ClaudeModel = { ...WITHOUT_SAMPLING, thinksByDefault: true }

const ALWAYS_THINKING: ClaudeModel = { ...THINKING, canStopThinking: false }

const NEWEST: ClaudeModel = { ...ALWAYS_THINKING, takesForcedChoice: false }

/** A model of another name, or of a name without a version, that takes the same protocol. */
const OTHER: ClaudeModel = { ...BUDGET, usualOutputTokens: 4_096 }

/** What an unknown version of Claude takes: its most output tokens are not known. */
const { mostOutputTokens: _, ...UNKNOWN_CLAUDE } = NEWEST

/**
 * Models by family and version. Sources: `anthropic-model-catalog.ts` of `@ai-sdk/anthropic` 4.0.105; which models
 * think by default: platform.claude.com, "Thinking"; output of Claude 3: "Models overview". As of November 2026.
 */
const MODELS: ReadonlyMap<string, ClaudeModel> = new Map([
  ['opus-5-5', NEWEST],
  ['sonnet-5-5', NEWEST],
  ['fable-5-2', NEWEST],
  ['fable-5-1', NEWEST],
  ['fable-5', ALWAYS_THINKING],
  ['haiku-5-5', THINKING],
  ['opus-5', THINKING],
  ['sonnet-5', THINKING],
  ['opus-4-8', WITHOUT_SAMPLING],
  ['opus-4-7', WITHOUT_SAMPLING],
  ['opus-4-6', ADAPTIVE],
  ['sonnet-4-6', ADAPTIVE],
  ['opus-4-5', { ...SCHEMAS, mostOutputTokens: 64_000 }],
  ['sonnet-4-5', { ...SCHEMAS, mostOutputTokens: 64_000 }],
  ['haiku-4-5', { ...SCHEMAS, mostOutputTokens: 64_000 }],
  ['opus-4-1', { ...SCHEMAS, mostOutputTokens: 32_000 }],
  ['opus-4-0', { ...BUDGET, mostOutputTokens: 32_000 }],
  ['opus-4', { ...BUDGET, mostOutputTokens: 32_000 }],
  ['sonnet-4-0', { ...BUDGET, mostOutputTokens: 64_000 }],
  ['sonnet-4', { ...BUDGET, mostOutputTokens: 64_000 }],
])

/** Earlier names have the version first: `claude-3-5-haiku-20241022`. */
const EARLIER: readonly (readonly [prefix: RegExp, model: ClaudeModel])[] = [
  [/^3-7/, { ...BUDGET, mostOutputTokens: 64_000 }],
  [/^3-5/, { ...WITHOUT_THINKING, mostOutputTokens: 8_192 }],
  [/^(?:3|v?2|instant)(?=$|[-.:])/, { ...WITHOUT_THINKING, mostOutputTokens: 4_096 }],
]

/** `claude-opus-4-5-20251101`, also with a prefix of a vendor. A date is no part of the version. */
const CLAUDE = /(?:^|[/.])claude-(.+)$/i
/** Relays write versions with a dot too: `claude-opus-4.8`. */
const DOT_OF_VERSION = /(?<=\d)\.(?=\d)/g
const FAMILY_AND_VERSION = /^([a-z]+-\d{1,2}(?:-\d{1,2})?)(?=$|[-@:])/

/** Whether a model is one of Anthropic's: others speak its protocol too. */
export const isClaude = (name: string): boolean => CLAUDE.test(name)

/**
 * What a model takes, by its name. An unknown version of Claude counts as a model of the newest family, any other name as
 * one of the oldest that think.
 */
export const claudeModel = (name: string): ClaudeModel => {
  const rest = CLAUDE.exec(name)?.[1]?.toLowerCase().replace(DOT_OF_VERSION, '-')
  if (rest === undefined) return OTHER
  const version = FAMILY_AND_VERSION.exec(rest)?.[1]
  const known = version === undefined ? undefined : MODELS.get(version)
  const earlier = known ?? EARLIER.find(([prefix]) => prefix.test(rest))?.[1]
  return earlier ?? (version === undefined ? OTHER : UNKNOWN_CLAUDE)
}
