import { LRUCache } from 'lru-cache'
import type { Clock } from '../../../clock.ts'
import { isObject } from '../../../raw-json.ts'
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

/** The names of an answer's limit in chat completions. An answer is not to be without its limit. */
export const LIMIT_FIELDS = ['max_tokens', 'max_completion_tokens'] as const
export type LimitField = (typeof LIMIT_FIELDS)[number]

/** Members of answers that clients send back with them, and that only some vendors take. */
const ANSWER_MEMBERS = [
  'refusal',
  'annotations',
  'audio',
  'function_call',
  'reasoning',
  'reasoning_content',
  'reasoning_details',
] as const

export const isAnswerMember = (name: string): boolean => ANSWER_MEMBERS.some(member => member === name)

/**
 * A part of our request that a model may refuse. `system` and `developer` are the roles of messages; `reasoning` is
 * OpenRouter's and Open WebUI's form of `reasoning_effort`; `messages.assistant` are the members of answers that come
 * back, beside their content and tool calls.
 */
export type UnsupportedParameter =
  | (typeof TUNING)[number]
  | LimitField
  | 'temperature'
  | 'reasoning'
  | 'stream_options'
  | 'stream'
  | 'system'
  | 'developer'
  | 'messages.assistant'

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

/** Codes of a refused parameter, which vendors name in `param` or `loc`. */
const UNSUPPORTED: ReadonlySet<string> = new Set([
  'unsupportedparameter',
  'unknownparameter',
  'extraforbidden',
])
/** The code of a refused value; the parameter itself is taken. */
const UNSUPPORTED_VALUE = 'unsupportedvalue'

const QUOTED = '[\'"`]?([\\w.]+)[\'"`]?'

/** Messages that name a parameter whose value is refused. */
const VALUE_SENTENCES: readonly RegExp[] = [
  new RegExp(`unsupported value: ${QUOTED}`, 'gim'), // OpenAI, Azure, GitHub Models
]

/** Messages that name a refused parameter; several are separated by commas. */
const SENTENCES: readonly RegExp[] = [
  `unsupported parameter: ${QUOTED}`, // OpenAI, Azure, GitHub Models
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

const ANSWER_MEMBER = `(?:${ANSWER_MEMBERS.join('|')})`
/** The path of a refused member of an answer. */
const IN_ANSWER = new RegExp(`^messages[.[]\\d+\\]?\\.(?:assistant\\.)?${ANSWER_MEMBER}$`)
/** Messages that name such a member. */
const ANSWER_SENTENCES = new RegExp(
  [
    `'messages\\.\\d+' : property '${ANSWER_MEMBER}' is unsupported`, // Groq
    `unknown name "${ANSWER_MEMBER}" at 'messages\\[\\d+\\]'`, // Gemini
    `additional properties are not allowed \\('${ANSWER_MEMBER}' was unexpected\\) - 'messages\\.\\d+'`, // Azure's older versions
  ].join('|'),
  'gi',
)

const NO_SYSTEM_ROLE =
  /does not support ['"]system['"]|system (?:role|message|prompt|instruction)s? (?:is |are )?not (?:supported|enabled)|developer instruction is not enabled|does not support (?:the )?system (?:role|message|prompt|instruction)/i
const NO_DEVELOPER_ROLE = /does not support ['"]developer['"]/i
/** The system role is refused, and the message names the role to use instead. */
const OFFERS_DEVELOPER = /(?:use|supported values[^.]*)[^.]{0,40}['"]developer['"]/i

/** Ollama's words for a model that takes no effort of reasoning, or not that one. */
const NO_EFFORT = /does not support thinking/i
const NOT_THAT_EFFORT = /think value .{1,40} is not supported/i
const EFFORTS = ['reasoning_effort', 'reasoning'] as const

const namedIn = (message: string, sentences: readonly RegExp[]): readonly string[] =>
  sentences.flatMap(sentence =>
    [...message.matchAll(sentence)].flatMap(([, names]) => names?.split(',') ?? []),
  )

const known = (names: readonly string[]): readonly UnsupportedParameter[] =>
  names
    .map(name => PARAMETERS.get(name.trim().toLowerCase().replace(/_/g, '')))
    .filter(name => name !== undefined)

const unsupportedRoles = (message: string): readonly UnsupportedParameter[] => {
  if (NO_DEVELOPER_ROLE.test(message)) return ['developer']
  if (!NO_SYSTEM_ROLE.test(message)) return []
  return OFFERS_DEVELOPER.test(message) ? ['system'] : ['system', 'developer']
}

/** Parameters that have one value where they are sent at all: a refusal of it is one of the parameter. */
const OF_ONE_VALUE: ReadonlySet<UnsupportedParameter> = new Set(['stream', 'stream_options'])
const LIMITS: ReadonlySet<UnsupportedParameter> = new Set(LIMIT_FIELDS)

/** What a model refuses of a request. */
export type UnsupportedParts = Readonly<{
  parameters: readonly UnsupportedParameter[]
  /** Parameters of which it refuses the value that was sent. */
  values: readonly UnsupportedParameter[]
}>

/**
 * What an error reports as unsupported. A value out of range does not count.
 */
export const unsupportedIn = ({ words, params, message }: ErrorFacts): UnsupportedParts => {
  const isOfValue = words.has(UNSUPPORTED_VALUE)
  const isOfParameter = !isOfValue && [...words].some(word => UNSUPPORTED.has(word))
  const values = [
    ...known([...namedIn(message, VALUE_SENTENCES), ...(isOfValue ? params : [])]),
    ...(NOT_THAT_EFFORT.test(message) ? EFFORTS : []),
  ]
  const others = message.replace(ANSWER_SENTENCES, '')
  const isOfAnswer = others !== message || (isOfParameter && params.some(path => IN_ANSWER.test(path)))
  const parameters = new Set<UnsupportedParameter>([
    ...known([...namedIn(others, SENTENCES), ...(isOfParameter ? params : [])]),
    ...(isOfAnswer ? (['messages.assistant'] as const) : []),
    ...unsupportedRoles(message),
    ...(NO_EFFORT.test(message) ? EFFORTS : []),
    ...values.filter(name => OF_ONE_VALUE.has(name)),
  ])
  return {
    parameters: [...parameters],
    values: [...new Set(values)].filter(name => !parameters.has(name) && !LIMITS.has(name)),
  }
}

/** Request parameters that a model is known to refuse. */
export type Unsupported = ReadonlySet<UnsupportedParameter>

const MAX_FACTS = 1_000
const FORGET_AFTER_MS = 3_600_000
const NONE: Unsupported = new Set()

/**
 * A fact that was learned about each of a provider's models, or about a model with a value. It is forgotten after an
 * hour, since a model may change; beyond 1,000 of them, so are the least recently used.
 */
export class LearnedByModel<T> {
  readonly #clock: Clock
  readonly #byModel = new LRUCache<string, Readonly<{ fact: T; until: number }>>({ max: MAX_FACTS })

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

/** A request's parameters: the value of a name. */
export type ParameterLookup = (name: string) => unknown

/** The value of a parameter in a request. An effort of reasoning is one value in both of its forms. */
const sentValue = (lookup: ParameterLookup, name: UnsupportedParameter): unknown => {
  if (name !== 'reasoning' && name !== 'reasoning_effort') return lookup(name)
  const form = lookup('reasoning')
  return lookup('reasoning_effort') ?? (isObject(form) ? (form.effort ?? form) : form)
}

/** Most UTF-16 units of a value that is remembered. */
export const LONGEST_VALUE = 500

/** A value of a model's parameter as a key; undefined where there is none, or it is too long. */
const valueKey = (model: string, name: UnsupportedParameter, lookup: ParameterLookup): string | undefined => {
  const sent = sentValue(lookup, name)
  if (typeof sent === 'string' && sent.length > LONGEST_VALUE) return undefined
  const value = JSON.stringify(sent)
  return value === undefined || value.length > LONGEST_VALUE
    ? undefined
    : JSON.stringify([model, name, value])
}

/** The parameters that the models of one provider have refused, and the values of those that they take otherwise. */
export class UnsupportedParameters {
  readonly #learned: LearnedByModel<Unsupported>
  /** The parameters of which a model has refused a value. */
  readonly #valued: LearnedByModel<Unsupported>
  readonly #values: LearnedByModel<true>

  constructor(clock: Clock) {
    this.#learned = new LearnedByModel(clock)
    this.#valued = new LearnedByModel(clock)
    this.#values = new LearnedByModel(clock)
  }

  of(model: string): Unsupported {
    return this.#learned.of(model) ?? NONE
  }

  add(model: string, unsupported: readonly UnsupportedParameter[]): void {
    this.#learned.add(model, new Set([...this.of(model), ...unsupported]))
  }

  /** The parameters of a request whose values are refused. */
  valuesOf(model: string, lookup: ParameterLookup): readonly UnsupportedParameter[] {
    return [...(this.#valued.of(model) ?? NONE)].filter(name => {
      const key = valueKey(model, name, lookup)
      return key !== undefined && this.#values.of(key)
    })
  }

  /** Learns that a model refuses the values of these parameters in a request. */
  addValues(model: string, names: readonly UnsupportedParameter[], lookup: ParameterLookup): void {
    if (names.length === 0) return
    this.#valued.add(model, new Set([...(this.#valued.of(model) ?? NONE), ...names]))
    for (const name of names) {
      const key = valueKey(model, name, lookup)
      if (key !== undefined) this.#values.add(key, true)
    }
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
