import type { Clock } from '../../clock.ts'
import type { Judge } from './judge.ts'

/** `half-open`: one call is let through to see; `probing` while it is under way. */
export type CircuitState =
  | Readonly<{ name: 'closed' }>
  | Readonly<{ name: 'open'; until: number; reason: string; openedBy: 'calls' | 'probe' | 'another gateway' }>
  | Readonly<{ name: 'half-open'; probing: boolean; reason: string }>

export type CircuitOptions = Readonly<{
  judge: Judge
  /** How long it stays open at first; each failed probe doubles it. */
  openMs: number
  longestOpenMs: number
  /** How long it stays open after a failed probe, where that shall not double: for probes that cost nothing. */
  probeAgainMs?: number
  clock: Clock
  /** From 0 to below 1. Several gateways that opened together shall not probe together. */
  random: () => number
  onChange: (state: CircuitState) => void
}>

/** Leave to make one call. Of its three ends exactly the first one counts, and only in the state it was given in. */
export type Permit = Readonly<{
  succeeded: () => void
  failed: (reason: string) => void
  /** The call ended without saying anything about the upstream. */
  released: () => void
}>

const JITTER = 0.2
/** How long it has to stay closed before its next opening is a first one again. */
const STABLE_OPENINGS = 3

/**
 * Stands between us and one upstream. Closed, it lets calls through until the judge has seen enough; open, it
 * lets none through; then a single one as a probe, on which everything depends. Whatever a call of an earlier
 * state says comes too late and changes nothing.
 */
export class Circuit {
  readonly #options: CircuitOptions
  #state: CircuitState = { name: 'closed' }
  #generation = 0
  #openings = 0
  #closedAt = 0

  constructor(options: CircuitOptions) {
    this.#options = options
  }

  get state(): CircuitState {
    return this.#state
  }

  /** @returns leave to call, or how many milliseconds to wait before asking for it again. */
  enter(): Permit | number {
    const now = this.#options.clock.now()
    if (this.#state.name === 'open') {
      if (now < this.#state.until) return this.#state.until - now
      this.#become({ name: 'half-open', probing: false, reason: this.#state.reason })
    }
    if (this.#state.name === 'half-open') {
      if (this.#state.probing) return this.#options.openMs
      this.#become({ ...this.#state, probing: true })
      return this.#permit(this.#probe)
    }
    return this.#permit(this.#call)
  }

  /** Opens as another gateway's circuit has, on its word. A circuit that is not closed keeps its own opinion. */
  openUntil(until: number, reason: string): void {
    if (this.#state.name !== 'closed' || until <= this.#options.clock.now()) return
    this.#options.judge.forget()
    this.#become({ name: 'open', until, reason, openedBy: 'another gateway' })
  }

  #permit({ succeeded, failed, released }: Permit): Permit {
    const generation = this.#generation
    let used = false
    const once =
      <Args extends unknown[]>(tell: (...args: Args) => void) =>
      (...args: Args): void => {
        if (used || generation !== this.#generation) return
        used = true
        tell(...args)
      }
    return { succeeded: once(succeeded), failed: once(failed), released: once(released) }
  }

  readonly #call: Permit = {
    succeeded: () => this.#options.judge.succeeded(this.#options.clock.now()),
    failed: last => {
      const why = this.#options.judge.failed(this.#options.clock.now())
      if (why !== undefined) this.#open(`${why}; the last: ${last}`, this.#openForMs())
    },
    released: () => {},
  }

  readonly #probe: Permit = {
    succeeded: () => {
      this.#closedAt = this.#options.clock.now()
      this.#options.judge.forget()
      this.#become({ name: 'closed' })
    },
    failed: reason =>
      this.#open(`the probe failed: ${reason}`, this.#options.probeAgainMs ?? this.#openForMs()),
    released: () => {
      if (this.#state.name === 'half-open') this.#become({ ...this.#state, probing: false })
    },
  }

  /** How long this opening shall last: longer each time, until it has been closed for long. */
  #openForMs(): number {
    const { clock, openMs, longestOpenMs, random } = this.#options
    const wasStable = this.#state.name === 'closed' && clock.now() - this.#closedAt > STABLE_OPENINGS * openMs
    this.#openings = wasStable ? 1 : this.#openings + 1
    return Math.min(longestOpenMs, openMs * 2 ** (this.#openings - 1)) * (1 + JITTER * random())
  }

  #open(reason: string, openForMs: number): void {
    const openedBy = this.#state.name === 'closed' ? 'calls' : 'probe'
    this.#options.judge.forget()
    this.#become({ name: 'open', until: this.#options.clock.now() + openForMs, reason, openedBy })
  }

  #become(state: CircuitState): void {
    const changed = state.name !== this.#state.name
    this.#state = state
    if (!changed) return
    this.#generation += 1
    this.#options.onChange(state)
  }
}
