import type { Reply, ReplyEvent } from './types.ts'

/** `complete`: a finish event came; `failed`: an error event came; `left`: the reader went before either. */
export type Ending = 'complete' | 'failed' | 'left'

export type Watcher = Readonly<{
  /** Called when the reader asks for the next batch. */
  onPull?: () => void
  /** Sees each batch before the reader does. */
  onBatch?: (batch: readonly ReplyEvent[]) => void
  /** Called exactly once, also when the reader leaves before the first batch. */
  onEnd?: (ending: Ending) => void
}>

const endingOf = (batch: readonly ReplyEvent[]): Ending | undefined => {
  const last = batch.at(-1)?.type
  if (last === 'finish') return 'complete'
  return last === 'error' ? 'failed' : undefined
}

/** Lets a policy watch a reply go by. It is no generator, so that leaving an unread reply is seen too. */
export const tap = (reply: Reply, { onPull, onBatch, onEnd }: Watcher): Reply => ({
  ...reply,
  events: {
    [Symbol.asyncIterator]() {
      const events = reply.events[Symbol.asyncIterator]()
      let ending: Ending | undefined
      let open = true
      const end = (how: Ending) => {
        if (!open) return
        open = false
        onEnd?.(how)
      }
      return {
        async next() {
          onPull?.()
          const step = await events.next()
          if (step.done) end(ending ?? 'left')
          else {
            ending = endingOf(step.value) ?? ending
            onBatch?.(step.value)
          }
          return step
        },
        async return() {
          end(ending ?? 'left')
          await events.return?.()
          return { done: true, value: undefined }
        },
      }
    },
  },
})

/** Sends a reply's events through a generator. Leaving it before the first batch still leaves the source. */
export const reshape = (
  reply: Reply,
  through: (events: Reply['events']) => AsyncGenerator<readonly ReplyEvent[]>,
): Reply => ({
  ...reply,
  events: {
    [Symbol.asyncIterator]() {
      const source = reply.events[Symbol.asyncIterator]()
      const reshaped = through({ [Symbol.asyncIterator]: () => source })
      let started = false
      return {
        next() {
          started = true
          return reshaped.next()
        },
        async return() {
          if (!started) await source.return?.()
          return reshaped.return(undefined)
        },
      }
    },
  },
})
