import { ALL_DETECTORS, Scanner } from './scan/scanner.ts'
import { visible } from './scan/visible-text.ts'
import { piecesOf, StreamHolder } from './stream-holder.ts'
import type { Place, SpanRail, Verdict } from './types.ts'

/** A quick look is one step: at a longer text it would take more than a millisecond. */
const LONGEST_QUICK_LOOK = 16_384

/** The span rails that look at a place, as one: each text is gone over once for all of them. */
export class SpanRails {
  readonly #scanner: Scanner
  readonly #railOf: ReadonlyMap<string, string>

  constructor(rails: readonly SpanRail[], place: Place) {
    const active = rails.filter(rail => rail.places.includes(place))
    this.#scanner = new Scanner(active.flatMap(rail => rail.detectors))
    this.#railOf = new Map(active.flatMap(rail => rail.detectors.map(({ name }) => [name, rail.name])))
  }

  /** What a stream holds back at most, in visible code units. */
  get longest(): number {
    return this.#scanner.longest
  }

  /** Guards one stream: one text of one place, so each tool call and each choice has its own. */
  stream(): StreamHolder {
    return new StreamHolder(this.#scanner, this.#railOf)
  }

  /** The verdicts on a whole text, in steps between which other work can run. */
  *inspect(text: string): Generator<void, readonly Verdict[]> {
    const detectors =
      text.length > LONGEST_QUICK_LOOK ? ALL_DETECTORS : this.#scanner.possibleIn(visible(text))
    if (detectors === 0) return []
    const pieces = yield* piecesOf(new StreamHolder(this.#scanner, this.#railOf, detectors), text)
    return pieces.flatMap(({ verdict }) => verdict ?? [])
  }
}
