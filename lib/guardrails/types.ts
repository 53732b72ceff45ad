import type { Steps } from '../loop-turns.ts'
/** The parts of a call in which text travels: what it is decides which rails look at it and how much a finding weighs. */
export const PLACES = [
  'system',
  'user',
  'tool-result',
  'tool-arguments',
  'reasoning',
  'refusal',
  'answer',
  'document',
  'tool-definition',
] as const
export type Place = (typeof PLACES)[number]

/** What a model can read, earlier answers included. */
export const INPUT_PLACES: readonly Place[] = PLACES

/** What a model writes: it arrives as a stream. */
export const OUTPUT_PLACES: readonly Place[] = ['tool-arguments', 'reasoning', 'refusal', 'answer']

/** A text with the place it stands in. */
export interface PlacedText {
  readonly text: string
  readonly place: Place
}

/** What a rail found: where, of which kind and how surely. The policy turns it into an action; it never holds the text. */
export interface Verdict {
  readonly rail: string
  /** What it is, as in a placeholder: `email`, `card`, `prompt-injection`. */
  readonly kind: string
  /** The rule that fired, by its name in the data. */
  readonly rule: string
  /** From 0 to 1. */
  readonly score: number
  /** Offsets in the original text, in UTF-16 code units; `end` is the first one after it. */
  readonly start: number
  readonly end: number
}

/** What a policy can do about a verdict. */
export const ACTIONS = ['flag', 'redact', 'block', 'another-model'] as const
export type Action = (typeof ACTIONS)[number]

/**
 * A rail that finds spans by looking at each position of a text: it works on streams as on whole texts.
 * Its detectors say how long a match can be.
 */
export interface SpanRail {
  readonly type: 'span'
  readonly name: string
  readonly places: readonly Place[]
  readonly detectors: readonly Detector[]
}

/** A rail that needs the whole text. It works in steps, so that a long text does not block the event loop. */
export interface TextRail {
  readonly type: 'text'
  readonly name: string
  readonly places: readonly Place[]
  inspect(given: PlacedText): Steps<readonly Verdict[]>
}

export type Rail = SpanRail | TextRail

/** A match that a detector found at a position. */
export interface Match {
  readonly end: number
  readonly kind: string
  readonly rule: string
  readonly score: number
}

/** The text ended before it was clear whether there is a match: wait for more. */
export const OPEN = 'open'
export type Outcome = Match | typeof OPEN | undefined

/**
 * Recognises one thing at one position. The contract that makes a stream and a whole text the same:
 * what `at` returns depends only on the `CONTEXT` code units before `start` and the `longest` after it, and whenever more
 * text could change it, it returns `OPEN`, unless `isLast`.
 */
export interface Detector {
  readonly name: string
  /** The longest match with the characters that must be seen after it, in code units of visible text. */
  readonly longest: number
  /** Whether a match can begin with this code unit; everything above 127 is asked once, as 128. */
  readonly starts: (code: number) => boolean
  /** True: a match begins only where the code unit before is no ASCII letter, digit or underscore. */
  readonly atWordStart: boolean
  /**
   * What every match has, such as an `@`, all of it within `SIGN_SPAN` code units: a text without one of the signs is not
   * scanned for matches. Absent: any text may hold one. A pattern takes linear time, and has neither `g` nor `y`.
   */
  readonly signs?: readonly (string | RegExp)[]
  readonly at: (text: string, start: number, isLast: boolean) => Outcome
}

/** Most code units of visible text that a sign spans. */
export const SIGN_SPAN = 256

/** How many code units before a position a detector may look at. */
export const CONTEXT = 64
