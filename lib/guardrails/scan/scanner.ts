import { type Detector, type Match, OPEN } from '../types.ts'
import { isWord } from './characters.ts'

const CODES = 129

/** A match with the detector that found it. */
export interface Found {
  readonly detector: Detector
  readonly match: Match
  readonly start: number
}

/** A set of detectors, each of which has a bit; those beyond 31 share the last one. */
export type DetectorSet = number
export const ALL_DETECTORS: DetectorSet = -1

interface Member {
  readonly detector: Detector
  readonly bit: DetectorSet
}

/** The detectors whose match can begin with a code unit, for each code unit. */
interface Dispatch {
  readonly members: readonly (readonly Member[])[]
  readonly sets: readonly DetectorSet[]
}

const dispatch = (detectors: readonly Member[]): Dispatch => {
  const members = Array.from({ length: CODES }, (_, code) =>
    detectors.filter(({ detector }) => detector.starts(code)),
  )
  return { members, sets: members.map(setOf) }
}

const setOf = (members: readonly Member[]): DetectorSet => members.reduce((set, { bit }) => set | bit, 0)

/** Whether a detector may find something in a text, as a quick look for its signs shows. */
export const mayFind = ({ signs = [] }: Detector, text: string): boolean =>
  signs.every(sign => (typeof sign === 'string' ? text.includes(sign) : sign.test(text)))

/**
 * Goes over a text once, from left to right. At each position the longest match of all detectors wins, the first of them
 * where they are equally long; the search goes on after it. So what is found does not depend on how the text was cut.
 */
export class Scanner {
  readonly detectors: readonly Detector[]
  /** The longest match of all, in code units of visible text: what a stream holds back at most. */
  readonly longest: number
  readonly #members: readonly Member[]
  readonly #anywhere: Dispatch
  readonly #atWordStart: Dispatch

  constructor(detectors: readonly Detector[]) {
    this.detectors = detectors
    this.longest = Math.max(0, ...detectors.map(detector => detector.longest))
    this.#members = detectors.map((detector, index) => ({ detector, bit: 1 << Math.min(index, 31) }))
    this.#anywhere = dispatch(this.#members.filter(({ detector }) => !detector.atWordStart))
    this.#atWordStart = dispatch(this.#members)
  }

  /**
   * The detectors, but for those of `known`, that may find something in a text: prose has no match of most of them, as a
   * quick look shows.
   */
  possibleIn(text: string, known: DetectorSet = 0): DetectorSet {
    return setOf(this.#members.filter(({ detector, bit }) => (bit & known) === 0 && mayFind(detector, text)))
  }

  /**
   * Looks at a text from a position on, until the end or until a match is open.
   * @param detectors that look at it
   * @returns the first position that is not decided; a match may have ended after the position where it began.
   */
  scan(
    text: string,
    from: number,
    isLast: boolean,
    onFound: (found: Found) => void,
    detectors: DetectorSet = ALL_DETECTORS,
  ): number {
    let position = from
    while (position < text.length) {
      const found = this.#longestAt(text, position, isLast, detectors)
      if (found === OPEN) return position
      if (found) onFound(found)
      position = found ? found.match.end : position + 1
    }
    return position
  }

  #longestAt(
    text: string,
    start: number,
    isLast: boolean,
    detectors: DetectorSet,
  ): Found | typeof OPEN | undefined {
    const isWordStart = start === 0 || !isWord(text.charCodeAt(start - 1))
    const code = Math.min(text.charCodeAt(start), CODES - 1)
    const { sets, members } = isWordStart ? this.#atWordStart : this.#anywhere
    if (((sets[code] ?? 0) & detectors) === 0) return undefined
    let best: Found | undefined
    for (const { detector, bit } of members[code] ?? []) {
      if ((bit & detectors) === 0) continue
      const match = detector.at(text, start, isLast)
      if (match === OPEN) return OPEN
      if (match && match.end > (best?.match.end ?? start)) best = { detector, match, start }
    }
    return best
  }
}
