import type { Clock } from '../clock.ts'
import type { Handler } from '../compose.ts'
import type { Call, Reply } from '../llm/types.ts'
import { type Answers, allTags, type Question } from './answers.ts'
import type { CacheCounts } from './counts.ts'
import { Flight } from './flight.ts'
import { recorded } from './stored-answer.ts'

export type FlightsParts = Readonly<{ answers: Answers; clock: Clock; counts: CacheCounts }>

type Entry = Readonly<{ flight: Flight; tags: Set<string>; question: Question }>

/** All answers under way, by question. */
export class Flights {
  readonly #parts: FlightsParts
  readonly #entries = new Map<string, Entry>()

  constructor(parts: FlightsParts) {
    this.#parts = parts
  }

  /** The same answer serves those who ask the same, and are content with the same models. */
  static nameOf({ key }: Question, { fallback }: Call): string {
    return fallback ? key : `${key} alone`
  }

  /** The answer under way to this question, if there is one; not one begun before the last invalidation. */
  join(question: Question, call: Call): Promise<Reply> | undefined {
    const entry = this.#entries.get(Flights.nameOf(question, call))
    if (entry?.question.generation !== question.generation) return undefined
    for (const tag of question.tags) entry.tags.add(tag)
    return entry.flight.join(call)
  }

  /** Whether `join` would find one. */
  isUnderWay(question: Question, call: Call): boolean {
    return this.#entries.get(Flights.nameOf(question, call))?.question.generation === question.generation
  }

  /**
   * Asks, lets others read along, and keeps the answer.
   *
   * @param onEnd told in the end whether it was kept
   */
  lead(
    question: Question,
    call: Call,
    next: Handler<Call, Reply>,
    onEnd?: (isKept: boolean) => void,
  ): Promise<Reply> {
    const name = Flights.nameOf(question, call)
    const tags = new Set<string>()
    let kept: Promise<boolean> | undefined
    const ask = async (signal: AbortSignal): Promise<Reply> => {
      const { reply, stored } = this.kept(question, await next({ ...call, signal }), tags)
      kept = stored
      return reply
    }
    const forget = () => {
      if (this.#entries.get(name) === entry) this.#entries.delete(name)
    }
    const end = (isKept: boolean) => {
      forget()
      onEnd?.(isKept)
    }
    const flight = new Flight(ask, this.#parts.clock, how => {
      if (how === 'grown') forget()
      // A complete answer can be joined until it can be found: nobody asks in between.
      else if (how === 'complete' && kept) void kept.then(end)
      else end(false)
    })
    const entry: Entry = { flight, tags, question }
    this.#entries.set(name, entry)
    return flight.lead(call)
  }

  /** Keeps the answer if it comes to a good end, with the labels that `tags` holds by then. */
  kept(
    question: Question,
    reply: Reply,
    tags?: ReadonlySet<string>,
  ): Readonly<{ reply: Reply; stored: Promise<boolean> }> {
    const { answers, clock } = this.#parts
    const { reply: watched, whole } = recorded(reply, answers.mostCharacters)
    const stored = whole.then(
      answer =>
        answer !== undefined && answers.keep(question, answer, allTags(question.tags, tags), clock.now()),
    )
    return { reply: watched, stored }
  }
}
