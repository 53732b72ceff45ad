import { hash } from 'node:crypto'
import { globMatcher } from './glob.ts'

/** What to invalidate. `pattern` describes model names, with `*` for anything. */
export type Invalidation =
  | Readonly<{ tag: string }>
  | Readonly<{ model: string }>
  | Readonly<{ pattern: string }>
  | Readonly<{ all: true }>

/** An invalidation's name: the same for the same thing. */
export const subjectOf = (what: Invalidation): string => {
  if ('tag' in what) return `tag ${what.tag}`
  if ('model' in what) return `model ${what.model}`
  return 'pattern' in what ? `pattern ${what.pattern}` : EVERYTHING
}

export const EVERYTHING = 'all'

/** When a subject was last invalidated, as text that sorts by time; globally unique. */
export type Token = string
export type Tokens = ReadonlyMap<string, Token>

const TIME_DIGITS = 16
const TOKEN = /^\d{16}\.[\w-]{1,64}$/
/** The last moment of JavaScript's dates: a later time is invalid. */
const LATEST_MS = 8_640_000_000_000_000

/** @param at milliseconds, whole */
export const tokenAt = (at: number, id: string): Token => `${String(at).padStart(TIME_DIGITS, '0')}.${id}`

export const timeOf = (token: Token): number => Number(token.slice(0, TIME_DIGITS))

/**
 * The union of two generations, the later token where they differ, without tokens that the token for everything covers.
 * Merging is commutative, associative and idempotent.
 */
export const merged = (some: Tokens, others: Tokens): Tokens => {
  const tokens = new Map(some)
  for (const [subject, token] of others) {
    const known = tokens.get(subject)
    if (known === undefined || known < token) tokens.set(subject, token)
  }
  const everything = tokens.get(EVERYTHING)
  if (everything === undefined) return tokens
  return new Map([...tokens].filter(([, token]) => token >= everything))
}

const PATTERN = 'pattern '
const REMEMBERED_STAMPS = 1_000

/**
 * All invalidations up to one moment. Each invalidation gives its subject a new, globally unique token; an answer is
 * stamped with all tokens that concern it, and valid as long as its stamp stays the same.
 */
export class Generation {
  readonly epoch: string
  readonly tokens: Tokens
  readonly #patterns: readonly Readonly<{ fits: (model: string) => boolean; token: string }>[]
  readonly #stamps = new Map<string, string>()

  /** @param epoch is new whenever the tokens were lost, so that no earlier stamp is valid. */
  constructor(epoch: string, tokens: Tokens) {
    this.epoch = epoch
    this.tokens = tokens
    this.#patterns = [...tokens]
      .filter(([subject]) => subject.startsWith(PATTERN))
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([subject, token]) => ({ fits: globMatcher(subject.slice(PATTERN.length)), token }))
  }

  /**
   * The stamp of an answer.
   *
   * @param models every name of its model: the requested one, the one that answered
   */
  stamp(models: readonly string[], tags: readonly string[]): string {
    if (this.tokens.size === 0) return this.epoch
    const subjects = JSON.stringify([models, tags])
    const known = this.#stamps.get(subjects)
    if (known !== undefined) return known
    const stamp = this.#stampOf(models, tags)
    if (this.#stamps.size >= REMEMBERED_STAMPS) this.#stamps.clear()
    this.#stamps.set(subjects, stamp)
    return stamp
  }

  #stampOf(models: readonly string[], tags: readonly string[]): string {
    const subjects = [EVERYTHING, ...models.map(model => `model ${model}`), ...tags.map(tag => `tag ${tag}`)]
    const tokens = [...new Set(subjects)].toSorted().flatMap(subject => this.tokens.get(subject) ?? [])
    for (const { fits, token } of this.#patterns) if (models.some(fits)) tokens.push(token)
    return tokens.length === 0 ? this.epoch : hash('sha256', [this.epoch, ...tokens].join(), 'base64url')
  }
}

/** Whether two generations hold the same. */
export const isSame = (a: Generation, b: Generation): boolean =>
  a.epoch === b.epoch &&
  a.tokens.size === b.tokens.size &&
  [...a.tokens].every(([subject, token]) => b.tokens.get(subject) === token)

export const generationToText = ({ epoch, tokens }: Generation): string =>
  JSON.stringify({ epoch, tokens: [...tokens] })

const isPair = (value: unknown): value is [string, Token] => {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [subject, token] = value
  const areTexts = typeof subject === 'string' && typeof token === 'string'
  return areTexts && TOKEN.test(token) && timeOf(token) <= LATEST_MS
}

/** Absent where the text is not a valid generation, which counts as lost. */
export const generationFromText = (text: string): Generation | undefined => {
  try {
    const { epoch, tokens } = JSON.parse(text)
    const isWhole = typeof epoch === 'string' && epoch !== '' && Array.isArray(tokens) && tokens.every(isPair)
    return isWhole ? new Generation(epoch, new Map(tokens)) : undefined
  } catch {
    return undefined
  }
}
