import type { Clock } from '../../clock.ts'
import type { Runner } from './gate.ts'

/** How long the absence of any key is believed. */
const NONE_MS = 2_000
/** How long a failure to look is believed. */
const FAILED_MS = 1_000

type Known = Readonly<{ state: 'unknown' } | { state: 'any' } | { state: 'none'; at: number }>
type Failure = Readonly<{ at: number; error: unknown }>

export type AnyKeyDeps = Readonly<{ query: () => Promise<boolean>; gate: Runner; clock: Clock }>

/** Whether there is any key. Callers that ask at once share a query; after a failure none is made for a second. */
export class AnyKey {
  readonly #deps: AnyKeyDeps
  #known: Known = { state: 'unknown' }
  #failure: Failure | undefined
  #asking: Promise<boolean> | undefined

  constructor(deps: AnyKeyDeps) {
    this.#deps = deps
  }

  /** The last answer while the database fails. Rejects where there is none, since there may be keys. */
  async get(): Promise<boolean> {
    const now = this.#deps.clock.now()
    if (this.#known.state === 'any') return true
    if (this.#known.state === 'none' && now - this.#known.at < NONE_MS) return false
    if (this.#failure && now - this.#failure.at < FAILED_MS) return this.#despite(this.#failure.error)
    this.#asking ??= this.#ask()
    return this.#asking.catch(error => this.#despite(error))
  }

  /** Forgets that there is none, after a change. */
  changed(): void {
    if (this.#known.state !== 'any') this.#known = { state: 'unknown' }
    this.#failure = undefined
    this.#asking = undefined
  }

  #despite(error: unknown): boolean {
    if (this.#known.state === 'unknown') throw error
    return false
  }

  #ask(): Promise<boolean> {
    const { query, gate, clock } = this.#deps
    const at = clock.now()
    const asking = gate.run(query)
    const end = (known: Known, failure?: Failure): void => {
      if (this.#asking !== asking) return
      this.#asking = undefined
      this.#known = known
      this.#failure = failure
    }
    asking.then(
      any => end(any ? { state: 'any' } : { state: 'none', at }),
      error => end(this.#known, { at: clock.now(), error }),
    )
    return asking
  }
}
