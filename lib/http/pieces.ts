/** How a body ended: whole, or with an event that reports a failure. */
export type BodyEnd = 'complete' | 'failed'

/** The pieces of a body. `end` is set with the last one, where it is known by then. */
export type Pieces<Piece> = AsyncIterable<Piece> & { readonly end?: BodyEnd | undefined }

/** Pieces whose end is reported before the last one. */
export const piecesWithEnd = <Piece>(
  pieces: (onEnd: (end: BodyEnd) => void) => AsyncIterator<Piece>,
): Pieces<Piece> => {
  let reached: BodyEnd | undefined
  return {
    get end() {
      return reached
    },
    [Symbol.asyncIterator]: () =>
      pieces(end => {
        reached = end
      }),
  }
}
