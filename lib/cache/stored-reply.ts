import { oneGroup, tap } from '../llm/tap.ts'
import type { CacheTrace, Reply, ReplyEvent, ReplyHead, Usage } from '../llm/types.ts'

/** The version of the format; entries of another version are not read. */
const VERSION = 1

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTime = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0

const isUsage = (value: unknown): boolean =>
  isFields(value) &&
  ['inputTokens', 'outputTokens'].every(name => isCount(value[name])) &&
  ['cachedInputTokens', 'cacheWriteInputTokens', 'reasoningTokens'].every(
    name => value[name] === undefined || isCount(value[name]),
  )

const isTarget = (value: unknown): boolean =>
  isFields(value) && isText(value.provider) && isText(value.model) && isText(value.name)

const isStoredReply = (value: unknown, key: string): value is StoredReply =>
  isFields(value) &&
  value.version === VERSION &&
  value.key === key &&
  isFields(value.head) &&
  isText(value.head.id) &&
  isTarget(value.head.target) &&
  isText(value.text) &&
  isFields(value.finish) &&
  value.finish.type === 'finish' &&
  isText(value.finish.reason) &&
  isUsage(value.usage) &&
  isTime(value.storedAt) &&
  isText(value.stamp) &&
  Array.isArray(value.tags) &&
  value.tags.every(isText)

/** An answer as the text that is stored under its key. */
export const toText = (key: string, answer: StoredReply): string =>
  JSON.stringify({ ...answer, version: VERSION, key })

/**
 * Decodes a stored text. Absent where it is invalid: of another version, of another key, or foreign data.
 */
export const fromText = (key: string, text: string): StoredReply | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isStoredReply(value, key) ? value : undefined
  } catch {
    return undefined
  }
}

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
const isWorthStoring = ({ fallback }: ReplyHead, { reason }: Finish, text: string): boolean =>
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
    onEvents(events) {
      for (const event of events) {
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
      if (ending !== 'complete' || !finish || isTooLong || !isWorthStoring(reply.head, finish, text))
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
  events: oneGroup([{ type: 'text-delta', text }, finish]),
})
