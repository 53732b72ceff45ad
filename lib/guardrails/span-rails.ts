import type { Steps } from '../loop-turns.ts'
import { type DetectorSet, Scanner } from './scan/scanner.ts'
import { VisibleText, visible } from './scan/visible-text.ts'
import { piecesOf, StreamHolder } from './stream-holder.ts'
import { type Place, SIGN_SPAN, type SpanRail, type Verdict } from './types.ts'

/** Code units that a quick look sees in one step: about a millisecond. */
const WINDOW = 16_384

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
  *inspect(text: string): Steps<readonly Verdict[]> {
    const detectors = yield* this.#possibleIn(text)
    if (detectors === 0) return []
    const pieces = yield* piecesOf(new StreamHolder(this.#scanner, this.#railOf, detectors), text)
    return pieces.flatMap(({ verdict }) => verdict ?? [])
  }

  /** The detectors that may find something in a text. Windows overlap, so that each sign is whole in one of them. */
  *#possibleIn(text: string): Steps<DetectorSet> {
    if (text.length <= WINDOW) return this.#scanner.possibleIn(visible(text))
    let possible: DetectorSet = 0
    const seen = new VisibleText()
    for (let from = 0; from < text.length; from += WINDOW) {
      seen.append(text.slice(from, from + WINDOW))
      if (from + WINDOW >= text.length) seen.finish()
      possible |= this.#scanner.possibleIn(seen.view, possible)
      seen.dropBefore(Math.max(0, seen.view.length - SIGN_SPAN))
      yield
    }
    return possible
  }
}
