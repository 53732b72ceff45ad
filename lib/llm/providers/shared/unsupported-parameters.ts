import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../clock.ts'
import type { ErrorFacts } from './error-body.ts'

/** Parameters without which an answer still answers the question. */
const TUNING = [
  'top_p',
  'top_k',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'parallel_tool_calls',
  'reasoning_effort',
  'verbosity',
  'service_tier',
  'metadata',
  'store',
  'user',
  'safety_identifier',
  'prompt_cache_key',
] as const

/**
 * A part of our request that a model may refuse. `system` and `developer` are the roles of messages; `reasoning` is
 * OpenRouter's and Open WebUI's form of `reasoning_effort`.
 */
export type UnsupportedParameter =
  | (typeof TUNING)[number]
  | 'max_tokens'
  | 'max_completion_tokens'
  | 'temperature'
  | 'reasoning'
  | 'stream_options'
  | 'stream'
  | 'system'
  | 'developer'

const PARAMETERS: ReadonlyMap<string, UnsupportedParameter> = new Map([
  ['maxtokens', 'max_tokens'],
  ['maxcompletiontokens', 'max_completion_tokens'],
  ['temperature', 'temperature'],
  ['reasoning', 'reasoning'],
  ['streamoptions', 'stream_options'],
  ['streamoptions.includeusage', 'stream_options'],
  ['stream', 'stream'],
  ...TUNING.map(name => [name.replace(/_/g, ''), name] as const),
])

/** Names of the parameter in vendors' `param` or `loc`. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  'unsupportedparameter',
  'unsupportedvalue',
  'unknownparameter',
  'extraforbidden',
])

const QUOTED = '[\'"`]?([\\w.]+)[\'"`]?'

/** Messages that name a refused parameter; several are separated by commas. */
const SENTENCES: readonly RegExp[] = [
  `unsupported (?:parameter|value): ${QUOTED}`, // OpenAI, Azure, GitHub Models
  'unrecognized request arguments? supplied: ([\\w.]+(?:, ?[\\w.]+)*)', // Azure's older versions
  `unknown (?:parameter|field|name|argument):? ${QUOTED}`, // OpenAI, Gemini, servers in Go
  'argument not supported on this model: ([\\w.]+)', // xAI
  `does not support (?:the )?parameters? ${QUOTED}`, // xAI
  `property ${QUOTED} is unsupported`, // Groq
  `${QUOTED} (?:parameter )?is (?:not supported|unsupported|deprecated)(?: (?:with|by|for|in) this model|$|\\.)`, // Anthropic
  '([\\w.]+): extra inputs are not permitted', // Anthropic
  "'extra_forbidden', 'loc': \\('body', '([\\w.]+)'", // vLLM
  "additional properties are not allowed \\('([\\w.]+)'",
  `unexpected keyword argument ${QUOTED}`,
].map(source => new RegExp(source, 'gim'))

const NO_SYSTEM_ROLE =
  /does not support ['"]system['"]|system (?:role|message|prompt|instruction)s? (?:is |are )?not (?:supported|enabled)|developer instruction is not enabled|does not support (?:the )?system (?:role|message|prompt|instruction)/i
const NO_DEVELOPER_ROLE = /does not support ['"]developer['"]/i
/** The system role is refused, and the message names the role to use instead. */
const OFFERS_DEVELOPER = /(?:use|supported values[^.]*)[^.]{0,40}['"]developer['"]/i

/** Ollama's words for a model that takes no effort of reasoning. */
const NO_EFFORT = /does not support thinking|think value .{1,40} is not supported/i

const namedIn = (message: string): readonly string[] =>
  SENTENCES.flatMap(sentence =>
    [...message.matchAll(sentence)].flatMap(([, names]) => names?.split(',') ?? []),
  )

const saysUnsupported = ({ words }: ErrorFacts): boolean => [...words].some(word => UNSUPPORTED.has(word))

const unsupportedRoles = (message: string): readonly UnsupportedParameter[] => {
  if (NO_DEVELOPER_ROLE.test(message)) return ['developer']
  if (!NO_SYSTEM_ROLE.test(message)) return []
  return OFFERS_DEVELOPER.test(message) ? ['system'] : ['system', 'developer']
}

/**
 * The parameters that an error reports as unsupported. A value out of range does not count.
 */
export const unsupportedParameters = (facts: ErrorFacts): readonly UnsupportedParameter[] => {
  const names = [...namedIn(facts.message), ...(saysUnsupported(facts) ? facts.params : [])]
  const known = names.map(name => PARAMETERS.get(name.trim().toLowerCase().replace(/_/g, '')))
  return [
    ...new Set([
      ...known.filter(name => name !== undefined),
      ...unsupportedRoles(facts.message),
      ...(NO_EFFORT.test(facts.message) ? (['reasoning_effort', 'reasoning'] as const) : []),
    ]),
  ]
}

/** Request parameters that a model is known to refuse. */
export type Unsupported = ReadonlySet<UnsupportedParameter>

const MAX_MODELS = 1_000
const FORGET_AFTER_MS = 3_600_000
const NONE: Unsupported = new Set()

/**
 * A fact that was learned about each of a provider's models. It is forgotten after an hour, since a model may change;
 * beyond 1,000 models, so are the least recently used.
 */
export class LearnedByModel<T> {
  readonly #clock: Clock
  readonly #byModel = new LRUCache<string, Readonly<{ fact: T; until: number }>>({ max: MAX_MODELS })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(model: string): T | undefined {
    if (this.#byModel.size === 0) return undefined
    const known = this.#byModel.get(model)
    return known && known.until > this.#clock.now() ? known.fact : undefined
  }

  add(model: string, fact: T): void {
    this.#byModel.set(model, { fact, until: this.#clock.now() + FORGET_AFTER_MS })
  }
}

/** The parameters that the models of one provider have refused. */
export class UnsupportedParameters {
  readonly #learned: LearnedByModel<Unsupported>

  constructor(clock: Clock) {
    this.#learned = new LearnedByModel(clock)
  }

  of(model: string): Unsupported {
    return this.#learned.of(model) ?? NONE
  }

  add(model: string, unsupported: readonly UnsupportedParameter[]): void {
    this.#learned.add(model, new Set([...this.of(model), ...unsupported]))
  }
}

const TUNING_NAMES: ReadonlySet<string> = new Set(TUNING)

/** Which of these request parameters to leave out: those that the model refuses, and that an answer can do without. */
export const omittedFrom = (
  names: readonly string[],
  unsupported: ReadonlySet<UnsupportedParameter>,
): readonly string[] => {
  if (unsupported.size === 0) return []
  const refused: ReadonlySet<string> = unsupported
  // An effort of reasoning is sent in its other form, unless that is refused too.
  const isLeftOut = (name: string): boolean =>
    TUNING_NAMES.has(name) || (name === 'reasoning' && refused.has('reasoning_effort'))
  return names.filter(name => refused.has(name) && isLeftOut(name))
}
