import { systemClock } from './clock.ts'

/** How long the work of one turn of the event loop may last before the rest of it waits for the next one. */
const SLICE_MS = 3
/** How many steps a slice has at most: work that they start may run only after all of them have begun. */
const MOST_STEPS = 32

/**
 * Shares the event loop between tasks that compute much in many small steps. Tasks that call `turn` before each step
 * never block the loop for much longer than a slice, however many there are: once the slice is used up they wait, in
 * order, while the loop serves sockets and timers.
 */
export class LoopTurns {
  readonly #now: () => number
  readonly #sliceMs: number
  readonly #waiting = new Set<() => void>()
  #startedAt = 0
  #hasStarted = false
  #steps = 0
  #scheduled = 0

  /** @param now in milliseconds @param sliceMs 3 when absent */
  constructor(now: () => number, sliceMs = SLICE_MS) {
    this.#now = now
    this.#sliceMs = sliceMs
  }

  /** Resolves when it is the caller's turn; undefined where that is now, so that no await is needed. */
  turn(): Promise<void> | undefined {
    return this.#waiting.size === 0 && this.#isTimeLeft() ? undefined : this.nextTurn()
  }

  /** Resolves in a later turn of the loop, for a step that takes long by itself. */
  nextTurn(): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.add(resolve)
      if (this.#scheduled === 0) this.#schedule()
    })
  }

  /** Runs a step now or at its turn. */
  inTurn(task: () => void): void {
    const wait = this.turn()
    if (wait) void wait.then(task)
    else task()
  }

  #isTimeLeft(): boolean {
    this.#steps += 1
    if (this.#hasStarted) return this.#steps <= MOST_STEPS && this.#now() - this.#startedAt < this.#sliceMs
    this.#hasStarted = true
    this.#startedAt = this.#now()
    setImmediate(this.#end)
    return true
  }

  readonly #end = (): void => {
    this.#hasStarted = false
    this.#steps = 0
  }

  /** One immediate for each: Node finishes everything that one of them has started before it calls the next one. */
  #schedule(): void {
    this.#scheduled = Math.min(this.#waiting.size, MOST_STEPS)
    for (let count = 0; count < this.#scheduled; count += 1) setImmediate(this.#next)
  }

  readonly #next = (): void => {
    this.#scheduled -= 1
    const [first] = this.#waiting
    if (first && this.#isTimeLeft()) {
      this.#waiting.delete(first)
      first()
    }
    if (this.#scheduled === 0 && this.#waiting.size > 0) this.#schedule()
  }
}

const turns = new LoopTurns(systemClock.now)

/**
 * Called before each step of work whose length depends on a client or the load: `await turn()`. There is one event loop
 * in a process, so all share its slices.
 */
export const turn = (): Promise<void> | undefined => turns.turn()

/** Runs a step now or at its turn. */
export const inTurn = (task: () => void): void => turns.inTurn(task)

/** Elements between two turns: each of them takes little. */
const ELEMENTS_PER_TURN = 32

/** Maps a list that may be long, sharing the event loop. */
export const mapInTurns = async <A, B>(
  list: readonly A[],
  map: (element: A, index: number) => B | Promise<B>,
): Promise<B[]> => {
  const mapped: B[] = []
  for (const [index, element] of list.entries()) {
    if (index % ELEMENTS_PER_TURN === ELEMENTS_PER_TURN - 1) await turn()
    const value = map(element, index)
    mapped.push(value instanceof Promise ? await value : value)
  }
  return mapped
}

/** Pieces as one text, in a turn that has nothing else to do: one of 15 million characters takes 20 ms. */
export const joinedInTurn = async (pieces: readonly string[]): Promise<string> => {
  await turns.nextTurn()
  const joined = pieces.join('')
  await turn()
  return joined
}

/** The result of work in steps that is known to take less than a turn as a whole. */
export const atOnce = <T>(steps: Iterator<unknown, T>): T => {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** What work in steps yields before a step that takes long by itself. */
export const LONG_STEP = 'long step'

/** Work in steps, each of a millisecond or so: between them it yields, so that other work can run. */
export type Steps<Result> = Generator<typeof LONG_STEP | undefined, Result>

/** The result of work in steps, each at its turn. */
export const inTurns = async <T>(steps: Iterator<unknown, T>): Promise<T> => {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    const wait = step.value === LONG_STEP ? turns.nextTurn() : turn()
    if (wait) await wait
  }
}
