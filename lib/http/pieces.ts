/** How a body ended: whole, or with an event that reports a failure. */
export type BodyEnd = 'complete' | 'failed'

/** The pieces of a body. */
export type Pieces<Piece> = AsyncIterable<Piece> & {
  /** Set once it is known; undefined for pieces that just end. */
  readonly end?: BodyEnd | undefined
  /** Whether `end` is set before the last piece is there. Otherwise the last piece is known by what follows it. */
  readonly reportsEndAhead?: boolean
}

/**
 * Pieces that report how they end.
 * @param pieces calls `onEnd` before its last piece, unless `reportsEndAhead` is false
 */
export const piecesWithEnd = <Piece>(
  pieces: (onEnd: (end: BodyEnd) => void) => AsyncIterator<Piece>,
  { reportsEndAhead = true } = {},
): Pieces<Piece> => {
  let reached: BodyEnd | undefined
  return {
    reportsEndAhead,
    get end() {
      return reached
    },
    [Symbol.asyncIterator]: () =>
      pieces(end => {
        reached = end
      }),
  }
}

/** The steps of an iterator, each once it is known whether it is the last one. */
export class OneAhead<Piece> {
  readonly #iterator: AsyncIterator<Piece>
  #following: Promise<IteratorResult<Piece>> | undefined
  #isLast = false

  constructor(iterator: AsyncIterator<Piece>) {
    this.#iterator = iterator
  }

  /** Whether nothing follows the step that was taken last. */
  get isLast(): boolean {
    return this.#isLast
  }

  async next(): Promise<IteratorResult<Piece>> {
    const step = await (this.#following ?? this.#iterator.next())
    if (step.done) return step
    this.#following = this.#iterator.next()
    this.#isLast = await this.#following.then(
      ({ done }) => done === true,
      // It is thrown by the next step.
      () => false,
    )
    return step
  }
}
