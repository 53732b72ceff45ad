import type { Reply, ReplyEvent } from './types.ts'

type Batch = readonly ReplyEvent[]

const OVER: Promise<IteratorResult<Batch>> = Promise.resolve({ done: true, value: undefined })

/** Complete events as a reply's events: one batch, and the end. */
export const oneBatch = (batch: Batch): Reply['events'] => {
  let given = false
  const iterator: AsyncIterator<Batch> = {
    next() {
      if (given) return OVER
      given = true
      return Promise.resolve({ done: false, value: batch })
    },
    return() {
      given = true
      return OVER
    },
  }
  return { [Symbol.asyncIterator]: () => iterator }
}
