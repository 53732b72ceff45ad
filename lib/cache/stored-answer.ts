import { tap } from '../llm/tap.ts'
import type { Reply, ReplyEvent, Target, Usage } from '../llm/types.ts'

type Finish = Extract<ReplyEvent, { type: 'finish' }>

/** A complete answer as it is kept: enough to give it again, in one piece or as a stream. */
export type StoredAnswer = Readonly<{
  id: string
  target: Target
  text: string
  finish: Finish
  usage: Usage
  /** Clock time, milliseconds. */
  storedAt: number
}>

/** Lets an answer go by, and hands it on as a whole if it comes to a good end. */
export const recorded = (
  reply: Reply,
  onComplete: (answer: Omit<StoredAnswer, 'storedAt'>) => void,
): Reply => {
  let text = ''
  let finish: Finish | undefined
  return tap(reply, {
    onBatch(batch) {
      for (const event of batch) {
        if (event.type === 'text-delta') text += event.text
        else if (event.type === 'finish') finish = event
      }
    },
    onEnd(ending) {
      const { id, target } = reply.head
      if (ending !== 'complete' || !finish) return
      const kept = { id, target, text, finish }
      void reply.usage.then(usage => onComplete({ ...kept, usage }))
    },
  })
}

/** A stored answer as a reply. */
export const replayed = ({ id, target, text, finish, usage, storedAt }: StoredAnswer): Reply => ({
  head: { id, target, cache: 'hit', storedAt },
  usage: Promise.resolve(usage),
  events: (async function* () {
    yield text === '' ? [finish] : [{ type: 'text-delta' as const, text }, finish]
  })(),
})
