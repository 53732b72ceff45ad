import { append, charactersOf, oneGroup, tap } from '../llm/events.ts'
import type { CacheTrace, Reply, ReplyEvent, ReplyHead, Usage } from '../llm/types.ts'
import { isObject } from '../raw-json.ts'
import type { KeyValue } from '../storage/types.ts'
import type { CacheCounts } from './counts.ts'
import type { Generation } from './generations.ts'
import type { ResolvedCacheRule } from './rules.ts'

/** The version of the format; entries of another version are not read. */
const VERSION = 2

const isText = (value: unknown): value is string => typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTime = (value: unknown): boolean => Number.isFinite(value) && (value as number) >= 0

const isUsage = (value: unknown): boolean =>
  isObject(value) &&
  ['inputTokens', 'outputTokens'].every(name => isCount(value[name])) &&
  ['cachedInputTokens', 'cacheWriteInputTokens', 'reasoningTokens'].every(
    name => value[name] === undefined || isCount(value[name]),
  )

const isTarget = (value: unknown): boolean =>
  isObject(value) && isText(value.provider) && isText(value.model) && isText(value.name)

/** The members of each event that an answer consists of. */
const EVENT_TEXTS: Readonly<Record<string, readonly string[]>> = {
  'text-delta': ['text'],
  'reasoning-delta': ['text'],
  'refusal-delta': ['text'],
  'tool-call-delta': ['arguments'],
  wire: ['format', 'json'],
  'body-text': ['text'],
  tool: ['id', 'name', 'state'],
  finish: ['reason'],
}

const isEvent = (value: unknown): boolean =>
  isObject(value) &&
  isText(value.type) &&
  Object.hasOwn(EVENT_TEXTS, value.type) &&
  (EVENT_TEXTS[value.type] ?? []).every(name => isText(value[name])) &&
  (value.event === undefined || isText(value.event))

const isStoredReply = (value: unknown, key: string): value is StoredReply =>
  isObject(value) &&
  value.version === VERSION &&
  value.key === key &&
  isObject(value.head) &&
  isText(value.head.id) &&
  isTarget(value.head.target) &&
  Array.isArray(value.events) &&
  value.events.every(isEvent) &&
  value.events.at(-1)?.type === 'finish' &&
  isUsage(value.usage) &&
  isTime(value.storedAt) &&
  isText(value.stamp) &&
  Array.isArray(value.tags) &&
  value.tags.every(isText)

/** An answer as the text that is stored under its key. */
const toText = (key: string, answer: StoredReply): string =>
  JSON.stringify({ ...answer, version: VERSION, key })

/**
 * Decodes a stored text. Absent where it is invalid: of another version, of another key, or foreign data.
 */
const fromText = (key: string, text: string): StoredReply | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isStoredReply(value, key) ? value : undefined
  } catch {
    return undefined
  }
}

/** A complete answer: enough to replay it, in one piece or as a stream. */
type CompleteReply = Readonly<{
  head: Omit<ReplyHead, 'cache' | 'cacheTrace' | 'storedAt'>
  /** Its events in as few pieces as possible; the last one is the finish. */
  events: readonly ReplyEvent[]
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

/** Filtered, empty, cut for want of money, or ended for unknown reasons: such an answer may differ next time. */
const isWorthStoring = ({ fallback, isShortened }: ReplyHead, events: readonly ReplyEvent[]): boolean => {
  const finish = events.at(-1)
  if (fallback || finish?.type !== 'finish' || (isShortened && finish.reason === 'length')) return false
  const has = (wanted: ReplyEvent['type']): boolean => events.some(({ type }) => type === wanted)
  if (finish.reason === 'tool_calls') return has('tool-call-delta')
  return (
    (finish.reason === 'stop' || finish.reason === 'length') &&
    (has('text-delta') || has('tool-call-delta') || has('body-text'))
  )
}

/**
 * Collects an answer while it passes through. `whole` settles at its end: with the answer, or with undefined where it
 * did not end well, must not be stored, or has more than `mostCharacters`.
 */
export const recorded = (
  reply: Reply,
  mostCharacters: number,
): Readonly<{ reply: Reply; whole: Promise<CompleteReply | undefined> }> => {
  const { promise: whole, resolve } = Promise.withResolvers<CompleteReply | undefined>()
  let events: ReplyEvent[] = []
  let characters = 0
  const observed = tap(reply, {
    onEvents(group) {
      if (characters > mostCharacters) return
      for (const event of group) characters += charactersOf(event)
      if (characters > mostCharacters) events = []
      else for (const event of group) append(events, event)
    },
    onEnd(ending) {
      if (ending !== 'complete' || !isWorthStoring(reply.head, events)) return resolve(undefined)
      const { cache: _, cacheTrace: __, storedAt: ___, ...head } = reply.head
      const ended = { head, events }
      resolve(reply.usage.then(usage => ({ ...ended, usage })))
    },
  })
  return { reply: observed, whole }
}

/** A stored answer as a reply. */
export const replayed = (
  { head, events, usage, storedAt }: StoredReply,
  cache: 'hit' | 'stale',
  cacheTrace: CacheTrace,
): Reply => ({
  head: { ...head, cache, storedAt, cacheTrace },
  usage: Promise.resolve(usage),
  events: oneGroup(events),
})

/** A call's cache lookup. */
export type Question = Readonly<{
  key: string
  /** The requested model name. */
  model: string
  resolved: ResolvedCacheRule
  /** The generation at the time of the call: an answer that was invalidated in transit is not valid. */
  generation: Generation
  tags: readonly string[]
}>

type StoredRepliesDeps = Readonly<{
  store: KeyValue
  /** Larger answers are not stored, so that one cannot evict many others. */
  mostBytes: number
  counts: CacheCounts
}>

const NO_TAGS: readonly string[] = []

/** All tags together, sorted. */
export const allTags = (some: readonly string[], others: Iterable<string> = NO_TAGS): readonly string[] => {
  const tags = new Set([...some, ...others])
  return tags.size === 0 ? NO_TAGS : [...tags].toSorted()
}

const lifetimeMs = ({ ttlMs, staleWhileRevalidateMs, staleIfErrorMs }: ResolvedCacheRule): number =>
  ttlMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs)

/** Until when an answer may be served at all; without an end where only its rule says so. */
export const usableUntil = ({ events }: CompleteReply): number => {
  const finish = events.at(-1)
  return (finish?.type === 'finish' ? finish.freshUntil : undefined) ?? Number.POSITIVE_INFINITY
}

/** Whether what an answer is made of is too old by now. */
export const isOutdated = (answer: StoredReply, now: number): boolean => now >= usableUntil(answer)

const stampOf = ({ generation, model }: Question, { head }: CompleteReply, tags: readonly string[]): string =>
  generation.stamp([model, head.target.name], tags)

/** Whether no invalidation since the call concerns the answer. */
export const isValid = (answer: StoredReply, question: Question): boolean =>
  answer.stamp === stampOf(question, answer, answer.tags)

/** The stored answers. A failing store counts as an empty one, and fails no call. */
export class StoredReplies {
  readonly #deps: StoredRepliesDeps

  constructor(deps: StoredRepliesDeps) {
    this.#deps = deps
  }

  /** The most characters of an answer that can be stored. */
  get mostCharacters(): number {
    return this.#deps.mostBytes
  }

  /** The answer to a question, however old. Unreadable and invalidated entries are removed. */
  async find(question: Question): Promise<StoredReply | undefined> {
    const { store, counts } = this.#deps
    const { key } = question
    const text = await store.get(key).catch(() => undefined)
    if (text === undefined) return undefined
    const answer = fromText(key, text)
    if (answer && isValid(answer, question)) return answer
    if (!answer) counts.unreadable += 1
    store.delete(key).catch(() => {})
    return undefined
  }

  /** Stores an answer until it can no longer be served. Resolves with whether it is stored. */
  async store(
    question: Question,
    answer: CompleteReply,
    tags: readonly string[],
    now: number,
  ): Promise<boolean> {
    const stamp = stampOf(question, answer, tags)
    const isStored = await this.#write(question, { ...answer, storedAt: now, tags, stamp }, now)
    if (isStored) this.#deps.counts.stores += 1
    return isStored
  }

  /** Adds the tags of a call that found it, so that invalidating by them covers it too. */
  async addTags(question: Question, answer: StoredReply, now: number): Promise<void> {
    if (question.tags.every(tag => answer.tags.includes(tag))) return
    const tags = allTags(answer.tags, question.tags)
    await this.#write(question, { ...answer, tags, stamp: stampOf(question, answer, tags) }, now)
  }

  async #write(question: Question, answer: StoredReply, now: number): Promise<boolean> {
    const { store, mostBytes } = this.#deps
    const text = toText(question.key, answer)
    const leftMs = Math.min(answer.storedAt + lifetimeMs(question.resolved), usableUntil(answer)) - now
    if (leftMs <= 0 || Buffer.byteLength(text) > mostBytes) return false
    return store.set(question.key, text, leftMs).then(
      () => true,
      () => false,
    )
  }
}
