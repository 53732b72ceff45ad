import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { atOnce, inTurns, type Steps } from '../loop-turns.ts'
import type { Guard } from './profile.ts'
import type { PlacedText, Verdict } from './types.ts'

/** Looking at so many characters takes a millisecond or so: no turn of the event loop is worth it. */
const SHORT = 8_192

/** The result of work on texts of so many characters: at once, or in turns where that would block the event loop. */
export const withTurns = <T>(steps: Iterator<unknown, T>, characters: number): T | Promise<T> =>
  characters <= SHORT ? atOnce(steps) : inTurns(steps)

/** A shorter text is looked at again within microseconds: it takes no place from a longer one. */
const SHORTEST_REMEMBERED = 128
/** Hashing a longer one would block the event loop for long. */
const LONGEST_REMEMBERED = 65_536
const MOST_REMEMBERED = 20_000

/**
 * The verdicts on texts that were looked at before: a conversation brings all its earlier messages with each call. It
 * holds digests and verdicts, and no text.
 */
export class VerdictMemory {
  readonly #known = new LRUCache<string, readonly Verdict[]>({
    maxSize: MOST_REMEMBERED,
    sizeCalculation: () => 1,
  });

  /** The verdicts on a text, in steps between which other work can run. @param version of the rules */
  *inspect(given: PlacedText, guard: Guard, version: string): Steps<readonly Verdict[]> {
    const { length } = given.text
    const isRemembered = length >= SHORTEST_REMEMBERED && length <= LONGEST_REMEMBERED && !guard.isOfOneCall
    if (!isRemembered) return yield* inspected(given, guard)
    const { place, text } = given
    const key = hash('sha256', `${version} ${guard.direction} ${place} ${text}`, 'base64')
    const known = this.#known.get(key)
    if (known) return known
    const verdicts = yield* inspected(given, guard)
    this.#known.set(key, verdicts)
    return verdicts
  }
}

function* inspected(given: PlacedText, guard: Guard): Steps<readonly Verdict[]> {
  const spans = guard.spansAt(given.place)
  const found = spans.longest > 0 ? [...(yield* spans.inspect(given.text))] : []
  for (const rail of guard.textRailsAt(given.place)) found.push(...(yield* rail.inspect(given)))
  return found
}
