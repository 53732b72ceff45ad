import type { KeyValue } from '../storage/types.ts'
import type { CacheCounts } from './counts.ts'
import type { Generation } from './generation.ts'
import type { ResolvedCacheRule } from './rules.ts'
import type { CompleteReply, StoredReply } from './stored-reply.ts'
import { fromText, toText } from './stored-reply.ts'

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

export type StoredRepliesDeps = Readonly<{
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
    const leftMs = answer.storedAt + lifetimeMs(question.resolved) - now
    if (leftMs <= 0 || Buffer.byteLength(text) > mostBytes) return false
    return store.set(question.key, text, leftMs).then(
      () => true,
      () => false,
    )
  }
}
