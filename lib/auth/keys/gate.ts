import { GatewayError } from '../../errors.ts'

/** Work that was refused, or no longer wanted, before it began: nothing is known about the database. */
export class NotBegun extends GatewayError {
  constructor() {
    super('STORE_UNAVAILABLE', undefined, { retryAfterSeconds: 1 })
  }
}

/** Runs work when there is room for it. `isWanted` is asked at its turn. Rejects with NotBegun. */
export type Runner = Readonly<{
  run: <T>(work: () => Promise<T>, isWanted?: () => boolean) => Promise<T>
}>

/** Runs at most so many pieces of work at once; others wait in order of arrival. */
export class Gate implements Runner {
  readonly #atOnce: number
  readonly #mostWaiting: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor({ atOnce, mostWaiting }: Readonly<{ atOnce: number; mostWaiting: number }>) {
    this.#atOnce = atOnce
    this.#mostWaiting = mostWaiting
  }

  get isIdle(): boolean {
    return this.#running === 0
  }

  async run<T>(work: () => Promise<T>, isWanted = () => true): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1
    else {
      if (this.#waiting.length >= this.#mostWaiting) throw new NotBegun()
      // The place is handed over by the one that ends.
      await new Promise<void>(resolve => this.#waiting.push(resolve))
    }
    try {
      if (!isWanted()) throw new NotBegun()
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running -= 1
    }
  }
}

/** A gate for each address before one that all share, so that no address can fill that one. */
export class AddressGates {
  readonly #limits: Readonly<{ atOnce: number; mostWaiting: number }>
  readonly #shared: Runner
  readonly #byAddress = new Map<string, Gate>()

  constructor(limits: Readonly<{ atOnce: number; mostWaiting: number }>, shared: Runner) {
    this.#limits = limits
    this.#shared = shared
  }

  of(address: string): Runner {
    return {
      run: async (work, isWanted) => {
        const gate = this.#byAddress.get(address) ?? new Gate(this.#limits)
        this.#byAddress.set(address, gate)
        try {
          return await gate.run(() => this.#shared.run(work, isWanted), isWanted)
        } finally {
          if (gate.isIdle) this.#byAddress.delete(address)
        }
      },
    }
  }
}
