import { oneBatch } from '../llm/one-batch.ts'
import { tap } from '../llm/tap.ts'
import type { CacheTrace, Reply, ReplyEvent, ReplyHead, Usage } from '../llm/types.ts'

type Finish = Extract<ReplyEvent, { type: 'finish' }>

/** A complete answer: enough to give it again, in one piece or as a stream. */
export type CompleteReply = Readonly<{
  head: Omit<ReplyHead, 'cache' | 'cacheTrace' | 'storedAt'>
  text: string
  finish: Finish
  usage: Usage
}>

/** A complete answer as it is kept. */
export type StoredReply = CompleteReply &
  Readonly<{
    /** Clock time, milliseconds. */
    storedAt: number
    tags: readonly string[]
    /** What must still hold for it to be valid; see `Generation`. */
    stamp: string
  }>

/** Filtered, broken off by a tool, or ended for reasons unknown: such an answer may be another one next time. */
const isWorthKeeping = ({ fallback }: ReplyHead, { reason }: Finish, text: string): boolean =>
  !fallback && text !== '' && (reason === 'stop' || reason === 'length')

/**
 * Lets an answer go by. `whole` settles when it has ended: with the answer, or with nothing where it did not come
 * to a good end, is not worth keeping, or has more than `mostCharacters`.
 */
export const recorded = (
  reply: Reply,
  mostCharacters: number,
): Readonly<{ reply: Reply; whole: Promise<CompleteReply | undefined> }> => {
  const { promise: whole, resolve } = Promise.withResolvers<CompleteReply | undefined>()
  let text = ''
  let isTooLong = false
  let finish: Finish | undefined
  const observed = tap(reply, {
    onBatch(batch) {
      for (const event of batch) {
        if (event.type === 'finish') finish = event
        else if (event.type === 'text-delta' && !isTooLong) {
          text += event.text
          if (text.length > mostCharacters) {
            isTooLong = true
            text = ''
          }
        }
      }
    },
    onEnd(ending) {
      if (ending !== 'complete' || !finish || isTooLong || !isWorthKeeping(reply.head, finish, text))
        return resolve(undefined)
      const { cache: _, cacheTrace: __, storedAt: ___, ...head } = reply.head
      const ended = { head, text, finish }
      resolve(reply.usage.then(usage => ({ ...ended, usage })))
    },
  })
  return { reply: observed, whole }
}

/** A stored answer as a reply. */
export const replayed = (
  { head, text, finish, usage, storedAt }: StoredReply,
  cache: 'hit' | 'stale',
  cacheTrace: CacheTrace,
): Reply => ({
  head: { ...head, cache, storedAt, cacheTrace },
  usage: Promise.resolve(usage),
  events: oneBatch([{ type: 'text-delta', text }, finish]),
})
