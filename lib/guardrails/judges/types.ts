import type { ServiceAnswer, ServiceRequest } from '../../tools/types.ts'
import type { Action, Place, PlacedText, Verdict } from '../types.ts'

/** What happens to a text on which a judge gives no verdict: `open` lets it pass, `closed` refuses it. */
export const FAIL_MODES = ['open', 'closed'] as const
export type FailMode = (typeof FAIL_MODES)[number]

/** Why a judge has given no verdict, or not on all of a text. */
export type UnavailableReason =
  | 'timeout'
  /** It has been failing, and is not asked for now. */
  | 'circuit-open'
  /** It, or the gateway, has too many requests in progress. */
  | 'busy'
  | 'network'
  /** It did not accept the gateway's key. */
  | 'refused'
  /** It answered with a status other than success. */
  | 'error'
  /** Its answer is too long, a redirect, or of another form than documented. */
  | 'bad-answer'
  /** The text is longer than what is sent to it: the beginning has been checked, the rest has not. */
  | 'too-long'

/**
 * The verdicts on each text, in the order of the texts. A verdict on a text as a whole spans all of it, or the piece of
 * a long one that it is about. Those of an unavailable judge are what it had found until then: they count all the same.
 */
export type JudgeResult = Readonly<{ verdicts: readonly (readonly Verdict[])[] }> &
  (
    | Readonly<{ state: 'complete' }>
    /** The fail mode applies. */
    | Readonly<{ state: 'unavailable'; reason: UnavailableReason }>
  )

/** An external service that rates content. */
export interface Judge {
  readonly name: string
  /** Texts of other places are not sent to it, and have no verdicts. */
  readonly places: readonly Place[]
  readonly failMode: FailMode
  /** What the policy does about its verdicts. */
  readonly action: Action
  /** Changes with all that shapes its verdicts: a part of the version of the rule set. Says nothing of its keys. */
  readonly version: string
  /** Rejects with the reason of an aborted signal alone; its request is then aborted too. */
  judge(texts: readonly PlacedText[], signal: AbortSignal): Promise<JudgeResult>
}

/** Whether a text must not pass because of a judge that gave no verdict. */
export const failsClosed = ({ failMode }: Pick<Judge, 'failMode'>, result: JudgeResult): boolean =>
  result.state === 'unavailable' && failMode === 'closed'

/** A finding of a service on one piece. Without `span` it is about the whole piece. Offsets as of a `Verdict`. */
export type Finding = Readonly<{
  kind: string
  rule: string
  score: number
  span?: Readonly<{ start: number; end: number }>
}>

/** How much of a text a service gets: pieces of at most `longest` code units, each with the end of the one before it. */
export type PieceLimits = Readonly<{ longest: number; overlap: number; most: number }>

/** A kind of external service: translates pieces into a request, and its answer into findings. Does no I/O. */
export type JudgeService = Readonly<{
  pieces: PieceLimits
  /** How many pieces one request takes. */
  mostPerRequest: number
  /** Whether the same text in another place may have other findings. */
  dependsOnPlace: boolean
  request: (pieces: readonly PlacedText[]) => ServiceRequest
  /** The findings on each piece. Throws a ToolFailure for an answer of another form than documented. */
  findings: (answer: ServiceAnswer, pieces: readonly PlacedText[]) => readonly (readonly Finding[])[]
}>

/** One use of a judge, for the log and the metrics: never with a word of a text. */
export type JudgeReport = Readonly<{
  judge: string
  outcome: 'clean' | 'found' | UnavailableReason | 'aborted'
  /** Pieces of texts: of all, those whose findings were in memory. */
  pieces: number
  cached: number
  tookMs: number
}>
