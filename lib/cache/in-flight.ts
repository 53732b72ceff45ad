import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import type { Call, Reply } from '../llm/types.ts'
import type { CacheCounts } from './counts.ts'
import { InFlightReply } from './in-flight-reply.ts'
import { allTags, type Question, recorded, type StoredReplies } from './stored-replies.ts'

export type InFlightDeps = Readonly<{ replies: StoredReplies; clock: Clock; counts: CacheCounts }>

/** Longer than a look-up takes. */
const JUST_STORED_MS = 1_000
const MOST_JUST_STORED = 10_000

type Entry = Readonly<{ reply: InFlightReply; tags: Set<string>; question: Question }>

/** All answers in progress, by question. */
export class InFlight {
  readonly #deps: InFlightDeps
  readonly #entries = new Map<string, Entry>()
  readonly #justStored = new LRUCache<string, true>({ max: MOST_JUST_STORED, ttl: JUST_STORED_MS })

  constructor(deps: InFlightDeps) {
    this.#deps = deps
  }

  /** One answer serves calls with the same question that accept the same models. */
  static nameOf({ key }: Question, { fallback }: Call): string {
    return fallback ? key : `${key} alone`
  }

  /** The answer in progress to this question, if any, unless it began before the last invalidation. */
  join(question: Question, call: Call): Promise<Reply> | undefined {
    const entry = this.#entries.get(InFlight.nameOf(question, call))
    if (entry?.question.generation !== question.generation) return undefined
    for (const tag of question.tags) entry.tags.add(tag)
    return entry.reply.join(call)
  }

  /** Whether `join` would find one. */
  isUnderWay(question: Question, call: Call): boolean {
    return this.#entries.get(InFlight.nameOf(question, call))?.question.generation === question.generation
  }

  /** Whether an answer to it was stored a moment ago, so that what a look-up has found may be older. */
  wasJustStored(question: Question, call: Call): boolean {
    return this.#justStored.has(InFlight.nameOf(question, call))
  }

  /**
   * Calls upstream, shares the reply with others, and stores the answer.
   *
   * @param onEnd called at the end with whether it was stored
   */
  lead(
    question: Question,
    call: Call,
    next: Handler<Call, Reply>,
    onEnd?: (isStored: boolean) => void,
  ): Promise<Reply> {
    const name = InFlight.nameOf(question, call)
    const tags = new Set<string>()
    let storing: Promise<boolean> | undefined
    const ask = async (signal: AbortSignal): Promise<Reply> => {
      const { reply, stored } = this.store(question, await next({ ...call, signal }), tags)
      storing = stored
      return reply
    }
    const forget = () => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name)
    }
    const end = (isStored: boolean) => {
      if (isStored) this.#justStored.set(name, true)
      forget()
      onEnd?.(isStored)
    }
    const reply = new InFlightReply(ask, this.#deps.clock, how => {
      if (how === 'too-large') forget()
      // A complete answer can be joined until it is stored, so that no call goes upstream in between.
      else if (how === 'complete' && storing) void storing.then(end)
      else end(false)
    })
    const entry: Entry = { reply, tags, question }
    this.#entries.set(name, entry)
    return reply.lead(call)
  }

  /** Stores the answer if it ends well, with the tags that `tags` holds by then. */
  store(
    question: Question,
    reply: Reply,
    tags?: ReadonlySet<string>,
  ): Readonly<{ reply: Reply; stored: Promise<boolean> }> {
    const { replies, clock } = this.#deps
    const { reply: observed, whole } = recorded(reply, replies.mostCharacters)
    const stored = whole.then(
      answer =>
        answer !== undefined && replies.store(question, answer, allTags(question.tags, tags), clock.now()),
    )
    return { reply: observed, stored }
  }
}
