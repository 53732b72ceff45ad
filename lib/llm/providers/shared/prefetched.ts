/**
 * A generator whose first value is already fetched, so that closing it unread still runs its `finally`
 * (a generator that was never started skips it).
 */
export const prefetched = async <T>(events: AsyncGenerator<T>): Promise<AsyncIterable<T>> => {
  let first: IteratorResult<T> | undefined = await events.next()
  const iterator: AsyncIterator<T> = {
    async next() {
      const step = first ?? (await events.next())
      first = undefined
      return step
    },
    return: () => events.return(undefined),
  }
  return { [Symbol.asyncIterator]: () => iterator }
}
