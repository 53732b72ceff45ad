import { hash } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { globMatcher } from '../glob.ts'
import type { KeyValue } from '../storage/types.ts'

/** What to invalidate. `pattern` describes model names, with `*` for anything. */
export type Invalidation =
  | Readonly<{ tag: string }>
  | Readonly<{ model: string }>
  | Readonly<{ pattern: string }>
  | Readonly<{ all: true }>

/** An invalidation's name: the same for the same thing. */
const subjectOf = (what: Invalidation): string => {
  if ('tag' in what) return `tag ${what.tag}`
  if ('model' in what) return `model ${what.model}`
  return 'pattern' in what ? `pattern ${what.pattern}` : EVERYTHING
}

const EVERYTHING = 'all'

/** When a subject was last invalidated, as text that sorts by time; globally unique. */
type Token = string
export type Tokens = ReadonlyMap<string, Token>

const TIME_DIGITS = 16
const TOKEN = /^\d{16}\.[\w-]{1,64}$/
/** The last moment of JavaScript's dates: a later time is invalid. */
const LATEST_MS = 8_640_000_000_000_000

/** @param at milliseconds, whole */
const tokenAt = (at: number, id: string): Token => `${String(at).padStart(TIME_DIGITS, '0')}.${id}`

const timeOf = (token: Token): number => Number(token.slice(0, TIME_DIGITS))

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
const isSame = (a: Generation, b: Generation): boolean =>
  a.epoch === b.epoch &&
  a.tokens.size === b.tokens.size &&
  [...a.tokens].every(([subject, token]) => b.tokens.get(subject) === token)

const generationToText = ({ epoch, tokens }: Generation): string =>
  JSON.stringify({ epoch, tokens: [...tokens] })

const isPair = (value: unknown): value is [string, Token] => {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [subject, token] = value
  const areTexts = typeof subject === 'string' && typeof token === 'string'
  return areTexts && TOKEN.test(token) && timeOf(token) <= LATEST_MS
}

/** Absent where the text is not a valid generation, which counts as lost. */
const generationFromText = (text: string): Generation | undefined => {
  try {
    const { epoch, tokens } = JSON.parse(text)
    const isWhole = typeof epoch === 'string' && epoch !== '' && Array.isArray(tokens) && tokens.every(isPair)
    return isWhole ? new Generation(epoch, new Map(tokens)) : undefined
  } catch {
    return undefined
  }
}

const KEY = 'answers:generation'
/** A year: longer than any answer. Its loss is safe, but invalidates the whole cache. */
const STORED_FOR_MS = 31_536_000_000
/** Delay until this gateway sees another one's invalidation. */
const FRESH_MS = 1_000
const MOST_SUBJECTS = 1_000
const NOTHING: Tokens = new Map()

type GenerationsDeps = Readonly<{
  store: KeyValue
  clock: Clock
  /** Letters, digits, `_` and `-`, globally unique. */
  newId: () => string
}>

/**
 * The current generation, shared through a store with all gateways on it: one document, read at most
 * once a second, so that checking an answer needs no further query.
 *
 * The store may lose any of it, give back an older one, or write another gateway's over ours. A lost document
 * begins a new epoch, in which nothing stored before is valid. Into any other one, this gateway merges all that it has
 * ever known, and checks after a second that it persisted. At worst more is invalidated than requested; nothing
 * invalidated becomes valid again.
 */
export class Generations {
  readonly #deps: GenerationsDeps
  #known: Generation | undefined
  #checkedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<Generation> | undefined
  #last: Promise<unknown> = Promise.resolve()
  #isChecking = false

  constructor(deps: GenerationsDeps) {
    this.#deps = deps
  }

  /** The generation, while it is recent enough; otherwise it has to be refreshed. */
  current(): Generation | undefined {
    return this.#deps.clock.now() - this.#checkedAt < FRESH_MS ? this.#known : undefined
  }

  /** The recent generation, read again where it is not; undefined while the store cannot be read. */
  now(): Generation | Promise<Generation | undefined> {
    return this.current() ?? this.refresh().catch(() => undefined)
  }

  /** Reads the generation from the store. Throws what the store throws. */
  refresh(): Promise<Generation> {
    this.#reading ??= this.#inTurn().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  /** Invalidates earlier answers: here when this has resolved, in other gateways within a second. */
  async invalidate(what: Invalidation): Promise<void> {
    await this.#inTurn(subjectOf(what))
  }

  /** One at a time: each reads what the last one wrote. */
  #inTurn(subject?: string): Promise<Generation> {
    const turn = this.#last.then(() => this.#synchronise(subject))
    this.#last = turn.catch(() => {})
    return turn
  }

  async #synchronise(subject: string | undefined): Promise<Generation> {
    const { store, clock, newId } = this.#deps
    const found = generationFromText((await store.get(KEY)) ?? (await this.#begun()))
    const all = merged(found?.tokens ?? NOTHING, this.#known?.tokens ?? NOTHING)
    const tokens = subject === undefined ? all : this.#renewed(subject, all)
    const generation = new Generation(found?.epoch ?? newId(), tokens)
    if (!found || !isSame(found, generation)) {
      await store.set(KEY, generationToText(generation), STORED_FOR_MS)
      if (tokens.size > 0) this.#checkAgain()
    }
    if (!this.#known || !isSame(this.#known, generation)) this.#known = generation
    this.#checkedAt = clock.now()
    return this.#known
  }

  /** A new epoch: the same for all gateways that begin one in the same moment. */
  #begun(): Promise<string> {
    const { store, newId } = this.#deps
    return store.setIfAbsent(KEY, generationToText(new Generation(newId(), NOTHING)), STORED_FOR_MS)
  }

  /** The new token is later than all that are known, also than those of gateways whose clocks are ahead. */
  #renewed(subject: string, tokens: Tokens): Tokens {
    const { clock, newId } = this.#deps
    let at = Math.floor(clock.now())
    for (const token of tokens.values()) at = Math.max(at, timeOf(token) + 1)
    // Too many to remember: everything covers them all.
    const isRoom = tokens.size < MOST_SUBJECTS || tokens.has(subject)
    return merged(tokens, new Map([[isRoom ? subject : EVERYTHING, tokenAt(at, newId())]]))
  }

  /** The document may be overwritten by a gateway that had read an older one. */
  #checkAgain(): void {
    if (this.#isChecking) return
    this.#isChecking = true
    this.#deps.clock.timer(FRESH_MS, () => {
      this.#isChecking = false
      this.refresh().catch(() => this.#checkAgain())
    })
  }
}
