import { type Detector, type Match, OPEN } from '../types.ts'
import { isWord } from './characters.ts'

const CODES = 129

/** A match with the detector that found it. */
export interface Found {
  readonly detector: Detector
  readonly match: Match
  readonly start: number
}

/** The detectors whose match can begin with a code unit, for each code unit. */
const dispatch = (detectors: readonly Detector[]): readonly (readonly Detector[])[] =>
  Array.from({ length: CODES }, (_, code) => detectors.filter(detector => detector.starts(code)))

/**
 * Goes over a text once, from left to right. At each position the longest match of all detectors wins, the first of them
 * where they are equally long; the search goes on after it. So what is found does not depend on how the text was cut.
 */
export class Scanner {
  readonly detectors: readonly Detector[]
  /** The longest match of all, in code units of visible text: what a stream holds back at most. */
  readonly longest: number
  readonly #anywhere: readonly (readonly Detector[])[]
  readonly #atWordStart: readonly (readonly Detector[])[]

  constructor(detectors: readonly Detector[]) {
    this.detectors = detectors
    this.longest = Math.max(0, ...detectors.map(detector => detector.longest))
    this.#anywhere = dispatch(detectors.filter(detector => !detector.atWordStart))
    this.#atWordStart = dispatch(detectors)
  }

  /**
   * Looks at a text from a position on, until the end or until a match is open.
   * @returns the first position that is not decided; a match may have ended after the position where it began.
   */
  scan(text: string, from: number, isLast: boolean, onFound: (found: Found) => void): number {
    let position = from
    while (position < text.length) {
      const found = this.#longestAt(text, position, isLast)
      if (found === OPEN) return position
      if (found) onFound(found)
      position = found ? found.match.end : position + 1
    }
    return position
  }

  #longestAt(text: string, start: number, isLast: boolean): Found | typeof OPEN | undefined {
    const isWordStart = start === 0 || !isWord(text.charCodeAt(start - 1))
    const code = Math.min(text.charCodeAt(start), CODES - 1)
    const detectors = (isWordStart ? this.#atWordStart : this.#anywhere)[code] ?? []
    let best: Found | undefined
    for (const detector of detectors) {
      const match = detector.at(text, start, isLast)
      if (match === OPEN) return OPEN
      if (match && match.end > (best?.match.end ?? start)) best = { detector, match, start }
    }
    return best
  }
}
