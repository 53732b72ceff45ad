import { oneBatch } from '../llm/one-batch.ts'
import { tap } from '../llm/tap.ts'
import type { CacheTrace, Reply, ReplyEvent, ReplyHead, Usage } from '../llm/types.ts'

type Finish = Extract<ReplyEvent, { type: 'finish' }>

/** A complete answer: enough to replay it, in one piece or as a stream. */
export type CompleteReply = Readonly<{
  head: Omit<ReplyHead, 'cache' | 'cacheTrace' | 'storedAt'>
  text: string
  finish: Finish
  usage: Usage
}>

/** A complete answer as stored. */
export type StoredReply = CompleteReply &
  Readonly<{
    /** Clock time, milliseconds. */
    storedAt: number
    tags: readonly string[]
    /** The stamp that must still match for it to be valid; see `Generation`. */
    stamp: string
  }>

/** Filtered, ended by a tool call, or for unknown reasons: such an answer may differ next time. */
const isWorthKeeping = ({ fallback }: ReplyHead, { reason }: Finish, text: string): boolean =>
  !fallback && text !== '' && (reason === 'stop' || reason === 'length')

/**
 * Collects an answer while it passes through. `whole` settles at its end: with the answer, or with undefined where it
 * did not end well, must not be stored, or has more than `mostCharacters`.
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
