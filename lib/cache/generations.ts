import type { Clock } from '../clock.ts'
import type { KeyValue } from '../storage/types.ts'
import {
  EVERYTHING,
  Generation,
  generationFromText,
  generationToText,
  type Invalidation,
  isSame,
  merged,
  subjectOf,
  type Tokens,
  timeOf,
  tokenAt,
} from './generation.ts'

const KEY = 'answers:generation'
/** A year: longer than any answer. Its loss is safe, but invalidates the whole cache. */
const STORED_FOR_MS = 31_536_000_000
/** Delay until this gateway sees another one's invalidation. */
const FRESH_MS = 1_000
const MOST_SUBJECTS = 1_000
const NOTHING: Tokens = new Map()

export type GenerationsDeps = Readonly<{
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
    const text = await store.get(KEY)
    const found = text === undefined ? undefined : generationFromText(text)
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
