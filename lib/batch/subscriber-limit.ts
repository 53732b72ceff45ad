import { GatewayError } from '../errors.ts'

const MOST_IN_ALL = 1_000
/** One for each tab that a person may have open. */
const MOST_OF_OWNER = 20

const tooMany = (message: string): GatewayError =>
  new GatewayError('RATE_LIMITED', message, { retryAfterSeconds: 5 })

/** Counts open progress streams, and limits them by owner and in all. */
export class SubscriberLimit {
  readonly #byOwner = new Map<string, number>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Admits a stream; the returned function ends it. @throws GatewayError RATE_LIMITED */
  enter(owner: string): () => void {
    const own = this.#byOwner.get(owner) ?? 0
    if (own >= MOST_OF_OWNER) throw tooMany('Too many of your progress streams are open; close some.')
    if (this.#count >= MOST_IN_ALL) throw tooMany('Too many progress streams are open.')
    this.#change(owner, 1)
    let isIn = true
    return () => {
      if (isIn) this.#change(owner, -1)
      isIn = false
    }
  }

  #change(owner: string, by: 1 | -1): void {
    const own = (this.#byOwner.get(owner) ?? 0) + by
    this.#count += by
    if (own === 0) this.#byOwner.delete(owner)
    else this.#byOwner.set(owner, own)
  }
}
