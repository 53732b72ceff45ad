import type { Steps } from '../loop-turns.ts'
import { ALL_DETECTORS, type DetectorSet, type Found, type Scanner } from './scan/scanner.ts'
import { VisibleText } from './scan/visible-text.ts'
import { CONTEXT, type Verdict } from './types.ts'

/** A piece of released text, in order. One with a verdict is a match: the policy decides what is sent in its place. */
export interface Piece {
  readonly text: string
  readonly verdict?: Verdict
}

/** Code units that are looked at in one step: below a millisecond. */
const STEP = 4096

/**
 * Guards a text that arrives in chunks. What may still become a match is held back: at most `scanner.longest` visible
 * code units, each with at most `MOST_INVISIBLE` invisible ones before it; the rest is released at once.
 * Contract: the pieces, joined, and the verdicts are the same wherever the text was cut.
 */
export class StreamHolder {
  readonly #rails: ReadonlyMap<string, string>
  readonly #scanner: Scanner
  readonly #detectors: DetectorSet
  readonly #text = new VisibleText()
  /** Where the kept text begins in the whole one. */
  #base = 0
  /** The first unit of the view that is not released. */
  #next = 0
  /** What of the kept original is released; beyond `#next` where invisible characters were released early. */
  #released = 0
  /** In the kept original: where the last match ended that was found. */
  #found = 0

  /**
   * @param railOf the rail of each detector, by its name
   * @param detectors that look at the text
   */
  constructor(scanner: Scanner, railOf: ReadonlyMap<string, string>, detectors = ALL_DETECTORS) {
    this.#scanner = scanner
    this.#rails = railOf
    this.#detectors = detectors
  }

  /** How many code units are held back now. */
  get held(): number {
    return this.#text.length - this.#released
  }

  /** Takes the next chunk; returns what may leave. */
  push(chunk: string): Piece[] {
    this.#text.append(chunk)
    return this.#release(false)
  }

  /** The text is complete; returns the rest. */
  end(): Piece[] {
    this.#text.finish()
    return this.#release(true)
  }

  /**
   * Returns what is held back, as of a text that ends here: what is a match by now is one piece. Of a match that is
   * completed later only the rest is its piece, and one that is found again is not.
   */
  flush(): Piece[] {
    this.#text.finish()
    const pieces: Piece[] = []
    this.#scan(true, pieces)
    this.#put(pieces, this.#text.originOf(this.#text.view.length))
    return pieces
  }

  #release(isLast: boolean): Piece[] {
    const pieces: Piece[] = []
    this.#next = this.#scan(isLast, pieces)
    this.#put(pieces, this.#text.originOf(this.#next))
    this.#forget()
    return pieces
  }

  /** Takes what is found, with the text before it. Returns the first unit of the view that is not decided. */
  #scan(isLast: boolean, pieces: Piece[]): number {
    const onFound = (found: Found): void => {
      const start = this.#text.originOf(found.start)
      const end = this.#text.endOf(found.match.end - 1)
      if (end <= this.#found) return
      this.#found = end
      this.#put(pieces, start)
      this.#put(pieces, end, this.#verdict(found, start, end))
    }
    return this.#scanner.scan(this.#text.view, this.#next, isLast, onFound, this.#detectors)
  }

  #put(pieces: Piece[], end: number, verdict?: Verdict): void {
    const text = this.#text.original(this.#released, end)
    if (text !== '' || verdict) pieces.push({ text, ...(verdict && { verdict }) })
    this.#released = Math.max(this.#released, end)
  }

  #verdict({ detector, match }: Found, start: number, end: number): Verdict {
    return {
      rail: this.#rails.get(detector.name) ?? detector.name,
      kind: match.kind,
      rule: match.rule,
      score: match.score,
      start: this.#base + start,
      end: this.#base + end,
    }
  }

  /** Keeps only the context of what is not released. */
  #forget(): void {
    const unneeded = this.#next - CONTEXT
    if (unneeded < CONTEXT) return
    const dropped = this.#text.dropBefore(unneeded)
    this.#base += dropped
    this.#released -= dropped
    this.#found -= dropped
    this.#next = CONTEXT
  }
}

/** The pieces of a whole text, in steps between which other work can run. */
export function* piecesOf(holder: StreamHolder, text: string): Steps<Piece[]> {
  const pieces: Piece[] = []
  for (let start = 0; start < text.length; start += STEP) {
    pieces.push(...holder.push(text.slice(start, start + STEP)))
    yield
  }
  pieces.push(...holder.end())
  return pieces
}
